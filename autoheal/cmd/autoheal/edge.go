package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/pgadmin"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// edgeControlFlags say where the edge can be told how to treat checkouts.
type edgeControlFlags struct {
	EdgeControlURL       string `help:"The edge's control port, where it has one replica at a fixed address. Without it and --edge-control-port the edge cannot be told anything."`
	EdgeControlPort      int    `help:"The port on which each ready replica of --edge-workload has its control port."`
	EdgeControlTokenFile string `help:"File with the bearer token of the edge's control port."`
}

// open makes the client. It contacts nobody: what is down now may come up later.
func (f edgeControlFlags) open(client *http.Client, from edge.Workloads, name string) (remedy.Edge, error) {
	var instances func(context.Context) ([]edge.Instance, error)
	switch {
	case f.EdgeControlURL != "" && f.EdgeControlPort != 0:
		return nil, errors.New("--edge-control-url and --edge-control-port say the same thing twice: give one of them")
	case f.EdgeControlURL != "":
		instances = edge.Fixed(f.EdgeControlURL)
	case f.EdgeControlPort != 0 && name == "":
		return nil, errors.New("--edge-control-port is a port of the edge's replicas: give --edge-workload as well")
	case f.EdgeControlPort != 0:
		instances = edge.ReadyReplicas(from, name, f.EdgeControlPort)
	case f.EdgeControlTokenFile != "":
		return nil, errors.New("--edge-control-token-file is for the edge's control port: give --edge-control-url or --edge-control-port as well")
	default:
		return edge.Mute{}, nil
	}
	if f.EdgeControlTokenFile == "" {
		return nil, errors.New("the edge's control port needs a token: give --edge-control-token-file")
	}
	secret, err := token("--edge-control-token-file", f.EdgeControlTokenFile)
	if err != nil {
		return nil, err
	}
	return edge.NewClient(edge.Config{Instances: instances, Token: secret, Client: client})
}

// remedies are all that the healer can do here, each told of by whoever runs the workloads.
func (t target) remedies(door remedy.Edge, edgeWorkload string, admin *pgadmin.Admin, client *http.Client) ([]remedy.Remedy, error) {
	all, err := remedy.All(remedy.Controls{
		Replicas: t.control, Scaler: t.control, Releases: t.control, Edge: door, EdgeWorkload: edgeWorkload, Sessions: admin, HTTP: client,
	})
	for i, r := range all {
		all[i] = t.announced(r)
	}
	return all, err
}
