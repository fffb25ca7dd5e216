// Command slo turns promises about services into Prometheus rules, and tells how well they are kept.
package main

import (
	"os"

	"github.com/faultline-lab/faultline/observability/command"
)

func main() { os.Exit(command.Main(run)) }
