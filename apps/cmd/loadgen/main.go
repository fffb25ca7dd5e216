// Command loadgen is the customers of the shop: a constant rate of checkouts, and the per-second SLI that decides
// whether a fault is over.
package main

import (
	"context"
	"io"
	"os"

	"github.com/faultline-lab/faultline/apps/loadgen"
	"github.com/faultline-lab/faultline/observability/command"
)

func main() {
	os.Exit(command.Main(run))
}

const description = `Customers of the shop: sends checkouts to storefront at a constant rate, whatever the answers do,
and never retries. Latency counts from the time at which a request was meant to leave.

Its per-second SLI is at GET /v1/sli (?since=TIME&follow=true), one finished second a line. A checkout is good when it
is completed (201) within 0.5 s; a second is ok when 95 % of its checkouts are good, business refusals left out.`

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	program := command.Program{Name: "loadgen", Description: description, Listen: "127.0.0.1:8131"}
	var config loadgen.Config
	if ok, err := program.Parse(&config, args, stdout, stderr); !ok {
		return err
	}
	return loadgen.Serve(ctx, config, stdout)
}
