package ports

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Name names one port. In the environment it is written in upper case with "-" as "_".
type Name string

// The ports that are asked for by name; those of the replicas of orders come from Orders and Standby.
const (
	Storefront    Name = "storefront"
	EdgeControl   Name = "edge-control"
	Control       Name = "control"
	Autoheal      Name = "autoheal"
	Inventory     Name = "inventory"
	Payments      Name = "payments"
	Loadgen       Name = "loadgen"
	Postgres      Name = "postgres"
	Toxiproxy     Name = "toxiproxy"
	OrdersDB      Name = "orders-db"
	InventoryDB   Name = "inventory-db"
	Prometheus    Name = "prometheus"
	Alertmanager  Name = "alertmanager"
	Loki          Name = "loki"
	LokiGRPC      Name = "loki-grpc"
	Jaeger        Name = "jaeger"
	JaegerGRPC    Name = "jaeger-grpc"
	OTLPGRPC      Name = "otlp-grpc"
	OTLPHTTP      Name = "otlp-http"
	JaegerMetrics Name = "jaeger-metrics"
	JaegerHealth  Name = "jaeger-health"
	Grafana       Name = "grafana"
)

// MaxOrders and MaxStandby are how many replicas of orders, and of its standby, have a port.
const (
	MaxOrders  = 8
	MaxStandby = 4
)

// Host is the address that every port is on: the stack never listens beyond this machine.
const Host = "127.0.0.1"

const (
	envPrefix = "FAULTLINE_PORT_"
	envOffset = envPrefix + "OFFSET"
)

// Orders is the name of the port of the n-th replica of orders, counted from 1.
func Orders(n int) Name { return Name(fmt.Sprintf("orders-%d", n)) }

// Standby is the name of the port of the n-th replica of orders' standby, counted from 1.
func Standby(n int) Name { return Name(fmt.Sprintf("orders-standby-%d", n)) }

// Set is a port number for every name.
type Set map[Name]int

// Default returns the ports of the contract.
func Default() Set {
	set := Set{
		Storefront: 8080, EdgeControl: 8081, Control: 8070, Autoheal: 8090,
		Inventory: 8111, Payments: 8121, Loadgen: 8131,
		Postgres: 5433, Toxiproxy: 8474, OrdersDB: 5434, InventoryDB: 5435,
		Prometheus: 9090, Alertmanager: 9093,
		Loki: 3100, LokiGRPC: 9096,
		Jaeger: 16686, JaegerGRPC: 16685, OTLPGRPC: 4317, OTLPHTTP: 4318,
		JaegerMetrics: 8888, JaegerHealth: 13133,
		Grafana: 3000,
	}
	for n := 1; n <= MaxOrders; n++ {
		set[Orders(n)] = 8100 + n
	}
	for n := 1; n <= MaxStandby; n++ {
		set[Standby(n)] = 8140 + n
	}
	return set
}

// FromEnv returns the ports of the contract as the environment changes them (lines of the form of os.Environ). It
// refuses values that are no ports, names that do not exist, and one number for two names.
func FromEnv(environ []string) (Set, error) {
	set := Default()
	settings := map[string]string{}
	for _, line := range environ {
		if key, value, _ := strings.Cut(line, "="); strings.HasPrefix(key, envPrefix) && value != "" {
			settings[key] = value
		}
	}
	if text, ok := settings[envOffset]; ok {
		offset, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("%s=%q is not a whole number: set it to something like 20000, or unset it", envOffset, text)
		}
		for name := range set {
			set[name] += offset
		}
		delete(settings, envOffset)
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		name, ok := nameOf(set, key)
		if !ok {
			return nil, fmt.Errorf("%s names no port of the stack: the names are %s", key, strings.Join(variables(set), ", "))
		}
		port, err := strconv.Atoi(settings[key])
		if err != nil {
			return nil, fmt.Errorf("%s=%q is not a port number", key, settings[key])
		}
		set[name] = port
	}
	return set, set.validate()
}

// Variable is the environment variable that sets the port of this name.
func (n Name) Variable() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(string(n), "-", "_"))
}

// Address is where the part listens, as host:port.
func (s Set) Address(name Name) string { return net.JoinHostPort(Host, strconv.Itoa(s[name])) }

// URL is the base URL of the part, without a trailing slash.
func (s Set) URL(name Name) string { return "http://" + s.Address(name) }

// Without is the set without these names.
func (s Set) Without(names ...Name) Set {
	rest := maps.Clone(s)
	for _, name := range names {
		delete(rest, name)
	}
	return rest
}

// Names returns all names in the order of their port numbers.
func (s Set) Names() []Name {
	return slices.SortedFunc(maps.Keys(s), func(a, b Name) int { return s[a] - s[b] })
}

func (s Set) validate() error {
	holder := map[int]Name{}
	for _, name := range s.Names() {
		port := s[name]
		if port < 1 || port > 65535 {
			return fmt.Errorf("port %d for %s is outside 1..65535: change %s or %s", port, name, envOffset, name.Variable())
		}
		if other, taken := holder[port]; taken {
			return fmt.Errorf("port %d is given to both %s and %s: change %s or %s", port, other, name, other.Variable(), name.Variable())
		}
		holder[port] = name
	}
	return nil
}

func nameOf(set Set, variable string) (Name, bool) {
	for name := range set {
		if name.Variable() == variable {
			return name, true
		}
	}
	return "", false
}

func variables(set Set) []string {
	all := []string{envOffset}
	for name := range set {
		all = append(all, name.Variable())
	}
	slices.Sort(all)
	return all
}
