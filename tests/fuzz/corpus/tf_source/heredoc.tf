x = <<-EOT
  a
  EOT
