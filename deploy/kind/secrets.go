package kind

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// The secrets of the contract (docs/contracts.md, "On Kubernetes").
const (
	databaseSecret    = "postgres"
	superuserPassword = "superuser-password"
	ordersPassword    = "orders-password"
	inventoryPassword = "inventory-password"
	autohealPassword  = "autoheal-password"

	healerSecret = "autoheal"
	webhookToken = "webhook-token"
	apiToken     = "api-token"

	edgeSecret   = "storefront"
	controlToken = "control-token"
)

// ensureSecret returns the values of a secret, which is made when there is none. One that is there is left as it is: the
// database took its passwords when it was first started.
func ensureSecret(ctx context.Context, client kubernetes.Interface, namespace, name string, keys ...string) (map[string]string, error) {
	secrets := client.CoreV1().Secrets(namespace)
	found, err := secrets.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		// Part of ours, but not managed-by: what is applied prunes what it manages.
		made := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: namespace, Labels: map[string]string{"app.kubernetes.io/part-of": "faultline"},
		}, Data: map[string][]byte{}}
		for _, key := range keys {
			made.Data[key] = []byte(newSecret())
		}
		found, err = secrets.Create(ctx, made, metav1.CreateOptions{})
	}
	if err != nil {
		return nil, fmt.Errorf("secret %s/%s: %w", namespace, name, err)
	}
	values := map[string]string{}
	for _, key := range keys {
		value := found.Data[key]
		if len(value) == 0 {
			return nil, fmt.Errorf("secret %s/%s has no %s: `stack kind down` and another `stack kind up` make it anew", namespace, name, key)
		}
		values[key] = string(value)
	}
	return values, nil
}

// ensureNamespace makes the namespace that the secrets go to; applying gives it the rest.
func ensureNamespace(ctx context.Context, client kubernetes.Interface, name string) error {
	_, err := client.CoreV1().Namespaces().Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// newSecret is 128 random bits in letters that mean nothing in a URL.
func newSecret() string {
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // never fails: it ends the program instead
	return hex.EncodeToString(secret)
}
