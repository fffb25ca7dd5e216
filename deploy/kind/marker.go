package kind

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/faultline-lab/faultline/deploy/local/ports"
)

// Where the marker is (docs/contracts.md, "On Kubernetes").
const (
	markerNamespace = metav1.NamespaceSystem
	markerName      = "faultline"
)

// Marker is what a cluster says about who made it, and how.
type Marker struct {
	Checkout  string // the folder that it belongs to
	Machine   string // where that folder is
	NodeImage string
	Airgapped bool
	Ports     ports.Set // of the host, those that lead into the cluster
	MadeAt    time.Time
}

// The marker's keys.
const (
	keyCheckout  = "checkout"
	keyMachine   = "machine"
	keyNodeImage = "node-image"
	keyAirgapped = "airgapped"
	keyPorts     = "ports"
	keyMadeAt    = "made-at"
)

func (m Marker) configMap() *corev1.ConfigMap {
	var host []string
	for _, name := range slices.Sorted(maps.Keys(m.Ports)) {
		host = append(host, fmt.Sprintf("%s=%d", name, m.Ports[name]))
	}
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: markerName, Namespace: markerNamespace},
		Data: map[string]string{
			keyCheckout: m.Checkout, keyMachine: m.Machine, keyNodeImage: m.NodeImage,
			keyAirgapped: strconv.FormatBool(m.Airgapped), keyPorts: strings.Join(host, "\n"),
			keyMadeAt: m.MadeAt.UTC().Format(time.RFC3339Nano),
		},
	}
}

// markerFrom refuses a ConfigMap that is none of ours: somebody else may have one of that name.
func markerFrom(from *corev1.ConfigMap) (Marker, error) {
	marker := Marker{
		Checkout: from.Data[keyCheckout], Machine: from.Data[keyMachine], NodeImage: from.Data[keyNodeImage], Ports: ports.Set{},
	}
	var err error
	if marker.MadeAt, err = time.Parse(time.RFC3339Nano, from.Data[keyMadeAt]); err != nil {
		return marker, fmt.Errorf("%s: %w", keyMadeAt, err)
	}
	if marker.Airgapped, err = strconv.ParseBool(from.Data[keyAirgapped]); err != nil {
		return marker, fmt.Errorf("%s: %w", keyAirgapped, err)
	}
	for line := range strings.Lines(from.Data[keyPorts]) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), "=")
		port, err := strconv.Atoi(number)
		if err != nil {
			return marker, fmt.Errorf("%s: %w", keyPorts, err)
		}
		marker.Ports[ports.Name(name)] = port
	}
	if marker.Checkout == "" || marker.NodeImage == "" {
		return marker, fmt.Errorf("it has no %s or no %s", keyCheckout, keyNodeImage)
	}
	return marker, nil
}

// readMarker returns nil when the cluster answers and has none.
func readMarker(ctx context.Context, client kubernetes.Interface) (*Marker, error) {
	found, err := client.CoreV1().ConfigMaps(markerNamespace).Get(ctx, markerName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	marker, err := markerFrom(found)
	if err != nil {
		return nil, fmt.Errorf("ConfigMap %s/%s is none that this program wrote: %w", markerNamespace, markerName, err)
	}
	return &marker, nil
}

func writeMarker(ctx context.Context, client kubernetes.Interface, marker Marker) error {
	at, wanted := client.CoreV1().ConfigMaps(markerNamespace), marker.configMap()
	_, err := at.Create(ctx, wanted, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = at.Update(ctx, wanted, metav1.UpdateOptions{})
	}
	return err
}

// at is the place that the cluster belongs to.
func (m Marker) at() place { return place{root: m.Checkout, machine: m.Machine} }

// fits returns an error that says what to do when the cluster is not as it would be made now. away is how to take it away.
func (m Marker) fits(cluster, nodeImage string, host ports.Set, away string) error {
	for _, name := range slices.Sorted(maps.Keys(host)) {
		if m.Ports[name] != host[name] {
			return fmt.Errorf("cluster %s has %s at port %d, and %d is wanted: ports are fixed when a cluster is made: set them back, or "+
				"take it away (`%s`) and run this again", cluster, name, m.Ports[name], host[name], away)
		}
	}
	if m.NodeImage != nodeImage {
		return fmt.Errorf("cluster %s was made from %s, and %s is wanted: take it away first (`%s`), then run this again",
			cluster, m.NodeImage, nodeImage, away)
	}
	return nil
}
