# resource "aws_instance" "commented" {
/* resource "aws_instance" "commented2" { */
provider "aws" {
  region = "us-east-1"
}
locals {
  text = <<-EOT
    resource "aws_instance" "a" {
      region = "us-east-1"
    }
  EOT
  nested = "x ${join("}", ["{", "resource \"aws_instance\" \"a\" {"])} y"
}
resource "aws_instance" "a" {
  ami           = "ami-1" # "
  instance_type = "m5.large"
  user_data     = <<EOF
    resource "aws_instance" "a" {
EOF
}
module "web" {
  source = "./mods/web"
  size   = var.size
}
variable "size" { default = "m5.xlarge" }
