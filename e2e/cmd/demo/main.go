// Command demo tells one trial live: the pool breaks, the healer mends it, the client judges.
package main

import (
	"os"

	"github.com/faultline-lab/faultline/observability/command"
)

func main() { os.Exit(command.Main(run)) }
