package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/cluster/nodes"
	kindexec "sigs.k8s.io/kind/pkg/exec"
)

const (
	// nodeReadyWithin is how long a new node may take, from the answer of its API server.
	nodeReadyWithin = 3 * time.Minute
	// startWithin is how long the API server of a node that was stopped may take until it answers again.
	startWithin = 90 * time.Second
	// askWithin is how long one question to an API server may take.
	askWithin = 10 * time.Second
	// again is the pause between two tries.
	again = 500 * time.Millisecond
)

// provider is kind's, told what it says.
func provider(say func(string)) *cluster.Provider {
	return cluster.NewProvider(cluster.ProviderWithDocker(), cluster.ProviderWithLogger(logger{say: say}))
}

// create makes the cluster and its kubeconfig. It does not wait for its node to be ready: kind's own wait cannot be
// interrupted. When ctx ends meanwhile, nothing of it stays.
func create(ctx context.Context, config *v1alpha4.Cluster, kubeconfig string, say func(string)) error {
	name := config.Name
	if err := removeIfThere(kubeconfig); err != nil { // kind would add to it
		return err
	}
	kind := provider(say)
	var failed error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		failed = kind.Create(name, cluster.CreateWithV1Alpha4Config(config),
			cluster.CreateWithKubeconfigPath(kubeconfig), cluster.CreateWithWaitForReady(0))
	}()
	select {
	case <-ended:
		if failed != nil {
			return fmt.Errorf("kind cannot make cluster %s: %w%s", name, failed, saidBy(failed))
		}
		return nil
	case <-ctx.Done():
	}
	// kind knows no context. Without its node it gives up; it may also be about to make that node, hence more than once.
	for {
		err := kind.Delete(name, kubeconfig)
		select {
		case <-ended:
			return errors.Join(fmt.Errorf("%w: what was made of cluster %s is deleted", context.Cause(ctx), name),
				err, kind.Delete(name, kubeconfig), removeIfThere(kubeconfig))
		case <-time.After(again):
		}
	}
}

// remove deletes the cluster.
func remove(name, kubeconfig string) error {
	return provider(func(string) {}).Delete(name, kubeconfig)
}

// saidBy is the end of what the command said that failed, for people who have to find out why.
func saidBy(err error) string {
	failed := kindexec.RunErrorForError(err)
	if failed == nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(failed.Output)), "\n")
	return "\n  " + strings.Join(lines[max(0, len(lines)-12):], "\n  ")
}

// theNode is the cluster's node, for loading images.
func theNode(name string) (nodes.Node, error) {
	all, err := provider(func(string) {}).ListInternalNodes(name)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("cluster %s has %d nodes, want one", name, len(all))
	}
	return all[0], nil
}

// contextName is what kind calls the cluster in a kubeconfig.
func contextName(name string) string { return "kind-" + name }

// writeKubeconfig asks the node for its kubeconfig and puts it where only its owner may read it.
func writeKubeconfig(name, path string) error {
	text, err := provider(func(string) {}).KubeConfig(name, false)
	if err != nil {
		return fmt.Errorf("the kubeconfig of cluster %s: %w", name, err)
	}
	next := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// connect returns the API server's address and a client of it.
func connect(kubeconfig string) (*rest.Config, kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, nil, err
	}
	config.UserAgent = "faultline-stack"
	config.QPS, config.Burst = 50, 100
	client, err := kubernetes.NewForConfig(config)
	return config, client, err
}

// clientOf is a client of the cluster's API server, with the address from its node and no file anywhere.
func clientOf(name string) (kubernetes.Interface, error) {
	text, err := provider(func(string) {}).KubeConfig(name, false)
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig of cluster %s: %w", name, err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(text))
	if err != nil {
		return nil, err
	}
	config.Timeout = askWithin
	return kubernetes.NewForConfig(config)
}

// askMarker asks the cluster for its marker until its API server answers or the time is over.
func askMarker(ctx context.Context, name string, within time.Duration) (*Marker, error) {
	client, err := clientOf(name)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(within); ; {
		marker, err := readMarker(ctx, client)
		if err == nil || time.Now().After(deadline) {
			return marker, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(again):
		}
	}
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
