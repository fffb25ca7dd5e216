// Command chaos breaks the running system on purpose, one experiment at a time, and puts it right again.
package main

import (
	"os"

	"github.com/faultline-lab/faultline/observability/command"
)

func main() { os.Exit(command.Main(run)) }
