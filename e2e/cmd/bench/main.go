// Command bench measures what telemetry costs, what the repository layer costs, and how far the path carries.
package main

import (
	"os"

	"github.com/faultline-lab/faultline/observability/command"
)

func main() { os.Exit(command.Main(run)) }
