resource "a" "b" {
 x = "${"${y["}"]}"}"
 region = "r"
 z = var.q
}
