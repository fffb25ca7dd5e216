// Command orders-v2 is the next release of orders: it places orders as v1 does, and gives loyalty points for them.
package main

import (
	"context"
	"io"
	"os"

	"github.com/faultline-lab/faultline/apps/orders"
	"github.com/faultline-lab/faultline/apps/orders/loyalty"
	"github.com/faultline-lab/faultline/observability/command"
)

func main() {
	os.Exit(command.Main(run))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	program := command.Program{
		Name:        "orders",
		Description: "orders, release v2: takes orders as v1 does, and gives loyalty points for them.",
		Listen:      "127.0.0.1:8101",
	}
	var config orders.Config
	if ok, err := program.Parse(&config, args, stdout, stderr); !ok {
		return err
	}
	return orders.Serve(ctx, config, stdout, loyalty.New)
}
