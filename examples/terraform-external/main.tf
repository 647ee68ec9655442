# SPDX-License-Identifier: Apache-2.0
# Terraform asks where it is green. The region of the last apply is kept as long as the rules allow
# it, so that plans do not churn with the grid.
terraform {
  required_providers {
    external = {
      source = "hashicorp/external"
    }
  }
}

variable "previous_region" {
  type    = string
  default = ""
}

data "external" "green" {
  program = ["greenlaunch", "hook", "external"]
  query = {
    clouds        = "aws"
    regions       = "eu-*"
    machine_type  = "m7g.large"
    duration      = "4h"
    max_intensity = "100gCO2e/kWh"
    min_grade     = "D"
    previous      = var.previous_region
  }
}

resource "terraform_data" "job" {
  input = {
    region = data.external.green.result.region
    type   = data.external.green.result.machine_type
  }

  lifecycle {
    precondition {
      condition     = data.external.green.result.decision == "allow"
      error_message = data.external.green.result.reason
    }
  }
}

output "region" {
  value = "${data.external.green.result.region}: ${data.external.green.result.gco2e_per_kwh} gCO2e/kWh (${data.external.green.result.basis})"
}
