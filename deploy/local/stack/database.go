package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
	"github.com/faultline-lab/faultline/deploy/local/process"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
)

// database is Postgres (a new one each time), its databases and roles, and Toxiproxy in front of it.
func (d definition) database() ([]supervisor.Part, error) {
	command, err := postgres.Command(d.Database)
	if err != nil {
		return nil, err
	}
	stopSignal, ok := command.StopSignal.(syscall.Signal)
	if !ok {
		return nil, fmt.Errorf("postgres: %v is no signal of this system", command.StopSignal)
	}
	admin := postgres.URL(d.Database, postgres.Superuser, "postgres")
	return []supervisor.Part{
		{
			Name: "database-files",
			Task: func(ctx context.Context) error { return postgres.Init(ctx, d.Database) },
		},
		{
			Name: "postgres", Kind: supervisor.Database, Needs: []string{"database-files"},
			Process: &process.Spec{
				Path: command.Path, Args: command.Args, Env: append(command.Env, d.Mark), Dir: command.Dir,
				Credential: command.Credential, StopSignal: stopSignal, DeathSignal: command.DeathSignal,
				StopTimeout: 4 * time.Second,
				Probe:       func(ctx context.Context) error { return postgres.WaitReady(ctx, admin) },
			},
		},
		{
			Name: "databases", Needs: []string{"postgres"},
			Task: func(ctx context.Context) error { return postgres.Bootstrap(ctx, admin, d.Database.Passwords) },
		},
		d.toxiproxy(),
	}, nil
}

// toxiproxy takes its proxies from a file, so that they are there again when it was restarted.
func (d definition) toxiproxy() supervisor.Part {
	return supervisor.Part{
		Name: "toxiproxy", Kind: supervisor.Stack, Needs: []string{"configuration"},
		Process: &process.Spec{
			Path: d.Tools.Toxiproxy,
			Args: []string{"-host", ports.Host, "-port", strconv.Itoa(d.Ports[ports.Toxiproxy]), "-config", d.proxiesFile()},
			Env: d.environment(d.state("toxiproxy"), map[string]string{
				"LOG_LEVEL": "warn", "GOGC": "50", "GOMEMLIMIT": "24MiB",
			}),
			StopTimeout: time.Second,
			// The proxies come after the API: what does not have its proxies yet is not ready.
			Probe: process.HTTP(d.Ports.URL(ports.Toxiproxy) + "/proxies/inventory-db"),
		},
	}
}

func (d definition) proxiesFile() string { return filepath.Join(d.state("toxiproxy"), "proxies.json") }

// proxies is the content of Toxiproxy's file.
func (d definition) proxies() ([]byte, error) {
	type proxy struct {
		Name     string `json:"name"`
		Listen   string `json:"listen"`
		Upstream string `json:"upstream"`
		Enabled  bool   `json:"enabled"`
	}
	upstream := d.Ports.Address(ports.Postgres)
	return json.MarshalIndent([]proxy{
		{Name: "orders-db", Listen: d.Ports.Address(ports.OrdersDB), Upstream: upstream, Enabled: true},
		{Name: "inventory-db", Listen: d.Ports.Address(ports.InventoryDB), Upstream: upstream, Enabled: true},
	}, "", "  ")
}

// through is the URL of a service's own database by way of its proxy.
func (d definition) through(proxy ports.Name, role string) string {
	database := d.Database
	database.Port = d.Ports[proxy]
	return postgres.URL(database, role, role)
}
