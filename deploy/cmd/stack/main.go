// Command stack runs the whole of Faultline on this machine.
package main

import (
	"os"

	"github.com/faultline-lab/faultline/observability/command"
)

func main() { os.Exit(command.Main(run)) }
