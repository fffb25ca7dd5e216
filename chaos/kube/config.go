package kube

import (
	"fmt"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/transport"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

// callTimeout bounds a call, which is never a watch.
const callTimeout = 5 * time.Second

// Access reads from the stack's file how its cluster is reached. Calls go through the wrapped transport; nil wraps nothing.
func Access(where endpoints.Kubernetes, wrap transport.WrapperFunc) (*rest.Config, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: where.Kubeconfig},
		&clientcmd.ConfigOverrides{CurrentContext: where.Context},
	).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("the stack's kubeconfig: %w: is the cluster still there? `stack kind status` tells", err)
	}
	config.Timeout = callTimeout
	config.UserAgent = "faultline-chaos"
	if wrap != nil {
		config.Wrap(wrap)
	}
	return config, nil
}
