# SPDX-License-Identifier: Apache-2.0
# Rules of your own over what a plan launches: greenlaunch reads the plan, Rego judges.
package greenlaunch

import rego.v1

allowed_regions := {"eu-north-1", "eu-west-3", "ca-central-1"}

launches contains intent if {
	some intent in input.intents
	intent.launches
}

# Another form would have no launches, and nothing to deny.
deny contains "this is not version 1 of the launch-intent normal form" if {
	not input.greenlaunch_intents == 1
}

deny contains message if {
	some intent in launches
	intent.place.region == null
	message := sprintf("%s: nobody knows where it runs", [intent.address])
}

deny contains message if {
	some intent in launches
	intent.place.region != null
	not intent.place.region in allowed_regions
	message := sprintf("%s: %s is not among our regions", [intent.address, intent.place.region])
}
