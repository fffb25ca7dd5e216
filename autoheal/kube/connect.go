package kube

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/transport"
)

// Connect makes a client of the API server: that of the cluster in which this program runs, or of the kubeconfig's
// current context. It contacts nobody yet. Its calls go through the wrapped transport; nil wraps nothing.
func Connect(kubeconfig, userAgent string, wrap transport.WrapperFunc) (kubernetes.Interface, error) {
	config, err := clientConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	config.UserAgent = userAgent
	if wrap != nil {
		config.Wrap(wrap)
	}
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf+","+runtime.ContentTypeJSON
	// client-go's own 5 requests a second would make a healer wait in the middle of an action. A look is three requests,
	// and while a restart is under way there are 20 looks a second.
	config.QPS, config.Burst = 100, 200
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("kube: %w", err)
	}
	return client, nil
}

func clientConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig != "" {
		config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
		if err != nil {
			return nil, fmt.Errorf("--kubeconfig: %w", err)
		}
		return config, nil
	}
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, fmt.Errorf("kube: not in a cluster (%w): give --kubeconfig, or a service account to the pod", err)
	}
	return config, nil
}
