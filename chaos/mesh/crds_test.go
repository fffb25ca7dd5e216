package mesh_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/packages"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-tools/pkg/crd"
	crdmarkers "sigs.k8s.io/controller-tools/pkg/crd/markers"
	"sigs.k8s.io/controller-tools/pkg/loader"
	"sigs.k8s.io/controller-tools/pkg/markers"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite the generated files in testdata")

// apiPackage has the Go types that the resources are built with.
const apiPackage = "github.com/chaos-mesh/chaos-mesh/api/v1alpha1"

// kinds are the resources that this package makes or reads.
var kinds = []string{"NetworkChaos", "PodChaos", "PodNetworkChaos"}

func crdFile(kind string) string { return filepath.Join("testdata", "crds", kind+".yaml") }

// The CRDs that the tests give to a real API server are made from the same Go types and the same version of them as the
// resources: `go test ./mesh -run CRD -update` writes them anew.
func TestTheCRDsAreThoseOfTheGoTypes(t *testing.T) {
	for kind, definition := range generate(t) {
		want, err := yaml.Marshal(definition)
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(crdFile(kind), want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(crdFile(kind))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale (%v): `make generate` writes it anew", crdFile(kind), err)
		}
	}
}

// generate does what controller-gen does, for our kinds only.
func generate(t *testing.T) map[string]map[string]any {
	t.Helper()
	roots, err := loader.LoadRoots(apiPackage)
	if err != nil {
		t.Fatal(err)
	}
	registry := &markers.Registry{}
	if err := crdmarkers.Register(registry); err != nil {
		t.Fatal(err)
	}
	checker := &loader.TypeChecker{NodeFilters: []loader.NodeFilter{crd.Generator{}.CheckFilter()}}
	parser := &crd.Parser{Collector: &markers.Collector{Registry: registry}, Checker: checker}
	crd.AddKnownTypes(parser)
	for _, root := range roots {
		parser.NeedPackage(root)
	}
	made := map[string]map[string]any{}
	for _, kind := range kinds {
		group := schema.GroupKind{Group: "chaos-mesh.org", Kind: kind}
		parser.NeedCRDFor(group, new(0)) // without the descriptions, which are most of the text and read by nobody here
		definition := parser.CustomResourceDefinitions[group]
		crd.FixTopLevelMetadata(definition)
		made[kind] = fields(t, definition)
	}
	// Only what the CRDs need is type-checked, so the rest is full of type errors.
	if loader.PrintErrors(roots, packages.TypeError) {
		t.Fatal("the types cannot be read")
	}
	return made
}

// fields drops what an API server adds itself.
func fields(t *testing.T, definition apiextensionsv1.CustomResourceDefinition) map[string]any {
	t.Helper()
	text, err := yaml.Marshal(definition)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := yaml.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	delete(object, "status")
	delete(object["metadata"].(map[string]any), "creationTimestamp")
	return object
}
