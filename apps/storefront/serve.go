package storefront

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/service"
	"github.com/faultline-lab/faultline/apps/storefront/mode"
)

// name is the workload's name.
const name = "storefront"

// Config is the command line of the storefront program.
type Config struct {
	Service service.Flags `embed:""`

	OrdersDiscovery string        `placeholder:"URL" xor:"orders" required:"" help:"Prometheus http_sd document of the ready replicas of orders; it is polled."`
	OrdersService   string        `placeholder:"NAME" xor:"orders" required:"" help:"Kubernetes Service of orders, whose ready pods are followed, instead of a document."`
	Orders          []string      `placeholder:"URL" xor:"orders" required:"" help:"Fixed list of the replicas of orders, instead of discovery."`
	DiscoveryTick   time.Duration `default:"200ms" help:"Pause between two polls of the discovery document."`
	InventoryURL    string        `required:"" placeholder:"URL" help:"Base URL of inventory, for browsing."`

	OrdersStandbyService string `placeholder:"NAME" help:"Kubernetes Service of the standby group of orders, beside --orders-service. In a discovery document the label group says which replicas are standby."`

	KubernetesNamespace string `placeholder:"NAME" help:"Namespace of --orders-service. Default: the pod's own, or that of the kubeconfig."`
	Kubeconfig          string `placeholder:"FILE" help:"How to reach the Kubernetes API from outside of a cluster. Default: as the pod that this is."`

	RequestTimeout time.Duration `default:"900ms" help:"The longest that one request may take; clients wait 1 s, orders takes 0.8 s at most."`
	ImportTimeout  time.Duration `default:"5s" help:"The longest that one part of a marketplace's batch may take."`
	ReportTimeout  time.Duration `default:"60s" help:"The longest that one report for the back office may take."`
	DialTimeout    time.Duration `default:"250ms" help:"The longest that connecting to a replica may take before the next one is tried."`
	Park           time.Duration `default:"500ms" help:"How long a replica that refused a connection is asked only after all others."`

	ControlListen    string  `placeholder:"ADDRESS" help:"Address of the control API, by which mode and weights are changed. Without it there is none."`
	ControlTokenFile string  `placeholder:"FILE" help:"Token that changes need."`
	Queue            string  `placeholder:"FILE" help:"SQLite file of the orders that are accepted and not placed yet; it is made when missing. Without it there is no mode accept."`
	Trickle          float64 `default:"2" help:"Accepted orders that are completed a second while the mode is accept: they show whether orders works again."`
	Drain            float64 `default:"15" help:"The same in every other mode; more would be the next overload."`
}

// Validate says what is wrong with the flags' values.
func (c Config) Validate() error {
	var own error
	if min(c.RequestTimeout, c.ImportTimeout, c.ReportTimeout, c.DialTimeout, c.Park, c.DiscoveryTick) <= 0 {
		own = errors.New("the timeouts, --park and --discovery-tick must be positive")
	}
	if min(c.Trickle, c.Drain) <= 0 {
		own = errors.Join(own, errors.New("--trickle and --drain must be positive, or accepted orders would never be placed"))
	}
	if (c.ControlListen == "") != (c.ControlTokenFile == "") {
		own = errors.Join(own, errors.New("--control-listen and --control-token-file belong together: give both or none"))
	}
	if c.OrdersStandbyService != "" && c.OrdersService == "" {
		own = errors.Join(own, errors.New("--orders-standby-service is beside --orders-service: give that too"))
	}
	_, err := c.fixed()
	return errors.Join(c.Service.Validate(), own, err)
}

// Serve runs the edge until ctx ends.
func Serve(ctx context.Context, cfg Config, stdout io.Writer) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	return service.Run(ctx, name, cfg.Service, stdout, cfg.build)
}

func (c Config) build(ctx context.Context, s *service.Service) (http.Handler, error) {
	keeper, err := mode.NewKeeper(mode.Config{Log: s.Log, MeterProvider: s.Telemetry.MeterProvider()})
	if err != nil {
		return nil, err
	}
	balancer, err := NewBalancer(BalancerConfig{
		Log: s.Log, MeterProvider: s.Telemetry.MeterProvider(), Park: c.Park,
		Weights: func() mode.Weights { return keeper.Weights().Value },
	})
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: s.Telemetry.Transport(jsonhttp.NewTransport(c.DialTimeout))}
	if err := c.findOrders(ctx, s, balancer, client); err != nil {
		return nil, err
	}
	accepted, err := c.openQueue(ctx, s)
	if err != nil {
		return nil, err
	}
	shop, err := newAPI(APIConfig{
		Orders: balancer, InventoryURL: c.InventoryURL, Client: client, Log: s.Log, MeterProvider: s.Telemetry.MeterProvider(),
		Deadline: c.RequestTimeout, ImportDeadline: c.ImportTimeout, ReportDeadline: c.ReportTimeout,
		Mode: func() mode.Setting { return keeper.Mode().Value }, Queue: accepted,
	})
	if err != nil {
		return nil, err
	}
	if err := c.complete(s, shop); err != nil {
		return nil, err
	}
	return shop.routes(), c.serveControl(ctx, s, keeper, balancer, accepted)
}

// findOrders gives the balancer its backends, now and whenever they change.
func (c Config) findOrders(ctx context.Context, s *service.Service, balancer *Balancer, client *http.Client) error {
	switch {
	case c.OrdersDiscovery != "":
		return c.discover(ctx, s, balancer, client)
	case c.OrdersService != "":
		return c.follow(ctx, s, balancer)
	default:
		backends, err := c.fixed()
		balancer.Set(ctx, backends)
		return err
	}
}

// follow reads the endpoints once before the port is bound, as discover does.
func (c Config) follow(ctx context.Context, s *service.Service, balancer *Balancer) error {
	slices, err := c.endpointSlices(s.Telemetry.Transport)
	if err != nil {
		return err
	}
	for group, name := range map[Group]string{Stable: c.OrdersService, Standby: c.OrdersStandbyService} {
		if name == "" {
			continue
		}
		endpoints, err := NewEndpoints(EndpointsConfig{
			Slices: slices, Service: name, Log: s.Log,
			Set: func(ctx context.Context, backends []Backend) { balancer.SetGroup(ctx, group, backends) },
		})
		if err != nil {
			return err
		}
		endpoints.Poll(ctx)
		s.Background("discovery of "+name, endpoints.Run)
	}
	return nil
}

// discover polls once before the port is bound, so that the first checkout finds its replicas.
func (c Config) discover(ctx context.Context, s *service.Service, balancer *Balancer, client *http.Client) error {
	discovery, err := NewDiscovery(DiscoveryConfig{
		URL: c.OrdersDiscovery, Client: client, Tick: c.DiscoveryTick, Set: balancer.Set, Log: s.Log,
	})
	if err != nil {
		return err
	}
	discovery.Poll(ctx)
	s.Background("discovery", discovery.Run)
	return nil
}

// fixed gives the backends of --orders.
func (c Config) fixed() ([]Backend, error) {
	var backends []Backend
	for _, raw := range c.Orders {
		parsed, err := url.Parse(raw)
		if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
			return nil, fmt.Errorf("--orders: %q is not a URL such as http://127.0.0.1:8101", raw)
		}
		backends = append(backends, Backend{URL: strings.TrimSuffix(raw, "/")})
	}
	return backends, nil
}
