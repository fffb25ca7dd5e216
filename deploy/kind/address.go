package kind

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// addresses says where everything of the cluster answers on the host.
func addresses(cfg Config, at files, namespace string, passwords map[string]string, since time.Time, withGrafana bool) endpoints.Stack {
	url := cfg.Ports.URL
	database := func(role, password, name string) string {
		return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", role, password, cfg.Ports.Address(ports.Postgres), name)
	}
	stack := endpoints.Stack{
		Target: endpoints.Kind, StartedAt: since,
		Endpoints: endpoints.Endpoints{
			Storefront: url(ports.Storefront), Autoheal: url(ports.Autoheal), Loadgen: url(ports.Loadgen),
			Prometheus: url(ports.Prometheus), Alertmanager: url(ports.Alertmanager), Loki: url(ports.Loki), Jaeger: url(ports.Jaeger),
			OTLP: url(ports.OTLPHTTP),
		},
		DatabaseURLs: map[string]string{
			"orders":    database("orders", passwords[ordersPassword], "orders"),
			"inventory": database("inventory", passwords[inventoryPassword], "inventory"),
			"admin":     database("postgres", passwords[superuserPassword], "postgres"),
		},
		WebhookTokenFile: at.WebhookToken, APITokenFile: at.APIToken,
		Kubernetes: &endpoints.Kubernetes{Kubeconfig: at.kubeconfig, Context: contextName(cfg.Cluster), Namespace: namespace},
	}
	if withGrafana {
		stack.Endpoints.Grafana = url(ports.Grafana)
	}
	return stack
}
