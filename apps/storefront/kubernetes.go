package storefront

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// namespaceFile is where a pod finds the namespace that it runs in.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// endpointSlices connects to the API server: with the kubeconfig's current context, or as the pod that this is. No
// request is made yet. The transport, with TLS and credentials, is wrapped for telemetry.
func (c Config) endpointSlices(wrap func(http.RoundTripper) http.RoundTripper) (EndpointSlices, error) {
	config, namespace, err := c.apiServer()
	if err != nil {
		return nil, err
	}
	config.Wrap(wrap)
	return newEndpointSlices(config, cmp.Or(c.KubernetesNamespace, namespace))
}

// apiServer is where the API server is, and the namespace that goes without saying there.
func (c Config) apiServer() (config *rest.Config, namespace string, err error) {
	if c.Kubeconfig != "" {
		loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			&clientcmd.ClientConfigLoadingRules{ExplicitPath: c.Kubeconfig}, &clientcmd.ConfigOverrides{})
		config, err = loader.ClientConfig()
		if err != nil {
			return nil, "", fmt.Errorf("--kubeconfig: %w", err)
		}
		namespace, _, err = loader.Namespace()
		return config, namespace, err
	}
	config, err = rest.InClusterConfig()
	if errors.Is(err, rest.ErrNotInCluster) || errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("--orders-service needs a pod with a service account's token, or --kubeconfig: %w", err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("--orders-service: %w", err)
	}
	if c.KubernetesNamespace != "" {
		return config, "", nil
	}
	text, err := os.ReadFile(namespaceFile)
	if err != nil {
		return nil, "", fmt.Errorf("--kubernetes-namespace is not given, and the pod's own is not known: %w", err)
	}
	return config, strings.TrimSpace(string(text)), nil
}

// endpointSliceClient is a client of this one kind. client-go's own bring every kind that Kubernetes has, and the means to
// change them: more than 10 MB of program for nothing.
type endpointSliceClient struct {
	api        rest.Interface
	parameters runtime.ParameterCodec
	namespace  string
}

func newEndpointSlices(config *rest.Config, namespace string) (endpointSliceClient, error) {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, discoveryv1.SchemeGroupVersion)
	if err := discoveryv1.AddToScheme(scheme); err != nil {
		return endpointSliceClient{}, err
	}
	config = rest.CopyConfig(config)
	config.APIPath, config.GroupVersion = "/apis", new(discoveryv1.SchemeGroupVersion)
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.UserAgent = "faultline-" + name
	api, err := rest.RESTClientFor(config)
	if err != nil {
		return endpointSliceClient{}, fmt.Errorf("client of the Kubernetes API: %w", err)
	}
	return endpointSliceClient{api: api, parameters: runtime.NewParameterCodec(scheme), namespace: namespace}, nil
}

// List implements EndpointSlices.
func (c endpointSliceClient) List(ctx context.Context, options metav1.ListOptions) (*discoveryv1.EndpointSliceList, error) {
	list := &discoveryv1.EndpointSliceList{}
	err := c.request(options).Do(ctx).Into(list)
	return list, err
}

// Watch implements EndpointSlices.
func (c endpointSliceClient) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	options.Watch = true
	return c.request(options).Watch(ctx)
}

func (c endpointSliceClient) request(options metav1.ListOptions) *rest.Request {
	return c.api.Get().Namespace(c.namespace).Resource("endpointslices").VersionedParams(&options, c.parameters)
}
