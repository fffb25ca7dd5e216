// Command mttr measures time to recovery: many trials, several arms, one table.
package main

import (
	"os"

	"github.com/faultline-lab/faultline/observability/command"
)

func main() { os.Exit(command.Main(run)) }
