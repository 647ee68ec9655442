# SPDX-License-Identifier: Apache-2.0
variable "size" {}

resource "aws_instance" "app" {
  count         = 1
  instance_type = var.size
}
