// Command autoheal takes Alertmanager's webhook, works out what is wrong, applies the remedy that fits, and proves it.
package main

import (
	"os"

	"github.com/faultline-lab/faultline/observability/command"
)

func main() { os.Exit(command.Main(run)) }
