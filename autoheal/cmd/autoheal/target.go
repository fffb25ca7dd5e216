package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/kube"
	"github.com/faultline-lab/faultline/autoheal/local"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// targetFlags say who runs the workloads: the supervisor of this machine, or Kubernetes.
type targetFlags struct {
	ControlURL       string `default:"http://127.0.0.1:8070" help:"The supervisor's control API: lists and restarts replicas."`
	ControlTokenFile string `help:"File with the bearer token of the control API; needed unless --kubernetes-namespace is given."`

	KubernetesNamespace string `help:"Heal the Deployments of this namespace, through the Kubernetes API and not the control API."`
	Kubeconfig          string `help:"Where the Kubernetes API is and who we are there. Default: the cluster and the service account of this pod."`

	KillSwitchFile      string `help:"While this file exists, the healer acts on nothing."`
	KillSwitchConfigmap string `help:"While this ConfigMap of the namespace exists, the healer acts on nothing. Only with --kubernetes-namespace."`
}

// control is what the healer asks of whoever runs the workloads.
type control interface {
	evidence.Lister
	remedy.Replicas
	remedy.Scaler
	remedy.Releases
}

// target is whoever runs the workloads.
type target struct {
	control   control
	listQuery string // what control lists the workloads with, for the record
	// announced is a remedy of which those who run the workloads are told.
	announced  func(remedy.Remedy) remedy.Remedy
	killSwitch func() guard.Switch
	stop       func()
}

// open contacts nobody: what is down now may come up later.
func (f targetFlags) open(client *http.Client, agent string, senses *telemetry.Telemetry) (target, error) {
	if f.KubernetesNamespace != "" {
		return f.openKubernetes(agent, senses)
	}
	if f.Kubeconfig != "" || f.KillSwitchConfigmap != "" {
		return target{}, errors.New("--kubeconfig and --kill-switch-configmap go with --kubernetes-namespace: give that as well")
	}
	if f.ControlTokenFile == "" {
		return target{}, errors.New("who runs the workloads? Give --control-token-file (the supervisor) or --kubernetes-namespace")
	}
	secret, err := token("--control-token-file", f.ControlTokenFile)
	if err != nil {
		return target{}, err
	}
	supervisor, err := local.New(local.Config{URL: f.ControlURL, Token: secret, Client: client})
	if err != nil {
		return target{}, err
	}
	silent := func(r remedy.Remedy) remedy.Remedy { return r }
	return target{supervisor, "GET /v1/workloads", silent, killSwitch(f.KillSwitchFile), func() {}}, nil
}

func (f targetFlags) openKubernetes(agent string, senses *telemetry.Telemetry) (target, error) {
	client, err := kube.Connect(f.Kubeconfig, agent, senses.Transport)
	if err != nil {
		return target{}, err
	}
	recorder, stop := kube.NewRecorder(client, f.KubernetesNamespace, senses.Logger())
	cluster, err := kube.New(kube.Config{Namespace: f.KubernetesNamespace, Client: client, Recorder: recorder})
	if err != nil {
		return target{}, err
	}
	off := killSwitch(f.KillSwitchFile)
	if f.KillSwitchConfigmap != "" {
		off = either(off, cluster.KillSwitch(f.KillSwitchConfigmap))
	}
	listed := "list deployments, replicasets and pods of namespace " + f.KubernetesNamespace
	return target{cluster, listed, cluster.Announced, off, stop}, nil
}

// either is on when one of two switches is, and off only when both are.
func either(one, other func() guard.Switch) func() guard.Switch {
	return func() guard.Switch {
		a, b := one(), other()
		switch {
		case a == guard.SwitchOn || b == guard.SwitchOn:
			return guard.SwitchOn
		case a == guard.SwitchOff && b == guard.SwitchOff:
			return guard.SwitchOff
		}
		return guard.SwitchUnknown
	}
}

// killSwitch reads the switch from a file: it is on while the file exists, also as a link that leads nowhere. Where its
// folder is missing nobody could throw it, so it counts as unknown. No path means that there is no switch.
func killSwitch(path string) func() guard.Switch {
	return func() guard.Switch {
		if path == "" {
			return guard.SwitchOff
		}
		_, err := os.Lstat(path)
		if err == nil {
			return guard.SwitchOn
		}
		if _, folderErr := os.Stat(filepath.Dir(path)); folderErr != nil || !errors.Is(err, os.ErrNotExist) {
			return guard.SwitchUnknown
		}
		return guard.SwitchOff
	}
}
