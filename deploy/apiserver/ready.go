package apiserver

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// askTimeout bounds one question, so that a server that hangs is asked again.
const askTimeout = 5 * time.Second

func client(kubeconfig string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.Timeout = askTimeout
	return kubernetes.NewForConfig(config)
}

// answers says whether the API server is ready: its own roles and namespaces are there.
func answers(ctx context.Context, kubeconfig string) error {
	c, err := client(kubeconfig)
	if err != nil {
		return err
	}
	return c.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}

// controllersWork says whether the controllers have begun: without the account pods cannot be made.
func controllersWork(ctx context.Context, kubeconfig string) error {
	c, err := client(kubeconfig)
	if err != nil {
		return err
	}
	if _, err := c.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{}); err != nil {
		return err
	}
	_, err = c.CoreV1().ConfigMaps("default").Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
	return err
}
