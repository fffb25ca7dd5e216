// Command postmortem writes the report of an incident from the healer's record and the telemetry around it.
package main

import (
	"os"

	"github.com/faultline-lab/faultline/observability/command"
)

func main() { os.Exit(command.Main(run)) }
