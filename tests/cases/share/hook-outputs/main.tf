# SPDX-License-Identifier: Apache-2.0
# resource "aws_instance" "web" {} stands below, not here
provider "aws" {
  region = "us-east-1"
}

provider "google" {}

resource "aws_instance" "web" {
  instance_type = "m7g.large"
  user_data     = <<-EOT
    resource "aws_instance" "old" {
  EOT
}

resource "aws_instance" "old" {
  instance_type = "m7g.large"
}

resource "aws_instance" "calm" {
  instance_type     = "m7g.large"
  availability_zone = "eu-north-1a"
}

resource "aws_instance" "each" {
  for_each      = toset(local.names)
  instance_type = "m7g.large"
}

module "web" {
  source = "./mods/web"
  size   = var.size
}

variable "size" {
  default = "m7g.large"
}

resource "google_compute_instance" "where" {
  machine_type = "n2-standard-2"
}
