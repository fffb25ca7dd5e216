package mesh

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// manifest is the resource as it is sent: only what we say, without the empty status that the Go type always has.
func manifest(resource Resource) (*unstructured.Unstructured, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(resource)
	if err != nil {
		return nil, fmt.Errorf("the resource cannot be written: %w", err)
	}
	object := &unstructured.Unstructured{Object: fields}
	unstructured.RemoveNestedField(object.Object, "status")
	unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
	return object, nil
}

// YAML is the resource as a document for `kubectl apply`.
func YAML(resource Resource) ([]byte, error) {
	object, err := manifest(resource)
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(object.Object)
}
