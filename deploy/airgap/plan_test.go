package airgap

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/deploy/toolchain"
)

func TestThePlanTakesThePlaceOfEveryOfficialImage(t *testing.T) {
	result, err := Names()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"docker.io/grafana/loki", "docker.io/jaegertracing/jaeger", "docker.io/library/postgres", "docker.io/prom/alertmanager",
		"docker.io/prom/prometheus",
	}
	if got := slices.Sorted(maps.Keys(result.Stack)); !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	names := map[string]bool{}
	for _, ref := range append(slices.Collect(maps.Values(result.Stack)), result.Node) {
		if names[ref] || !strings.HasPrefix(ref, registry) || strings.HasSuffix(ref, ":latest") {
			t.Errorf("%s is no name for an image of its own", ref)
		}
		names[ref] = true
	}
}

func TestTheNamesAreTheSameEachTime(t *testing.T) {
	first, err := Names()
	if err != nil {
		t.Fatal(err)
	}
	second, err := Names()
	if err != nil || first.Node != second.Node || !maps.Equal(first.Stack, second.Stack) {
		t.Errorf("%+v is not %+v (%v)", second, first, err)
	}
}

func TestAKeyChangesWithEachPartAndItsBorders(t *testing.T) {
	keys := map[string]bool{}
	for _, parts := range [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"ab", "d"}, {}} {
		k := &key{}
		k.add(parts...)
		keys[k.String()] = true
	}
	if len(keys) != 5 {
		t.Errorf("5 inputs have %d keys", len(keys))
	}
	for _, folder := range []string{"debian", "kind-node", "kube-proxy", "local-path-provisioner", "postgres"} {
		k := &key{}
		if err := k.recipe(folder); err != nil || len(k.parts) < 2 {
			t.Errorf("recipe %s adds %d parts (%v)", folder, len(k.parts), err)
		}
	}
	if err := (&key{}).sources("grafana"); err == nil {
		t.Error("an unknown program has a source")
	}
}

func TestWhatIsMissingIsWhatTheEngineLacks(t *testing.T) {
	plan, err := newPlan()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{plan.node.ref: true}
	for _, image := range plan.stack() {
		have[image.ref] = true
	}
	if missing := plan.missing(have); len(missing) != 0 {
		t.Errorf("without the base, which nothing needs any more, %d are missing", len(missing))
	}
	delete(have, plan.database.ref)
	if missing := plan.missing(have); len(missing) != 1 || missing[0].ref != plan.database.ref {
		t.Errorf("got %d missing", len(missing))
	}
}

func TestTheProgramsOfTheStackRunWithoutPrivileges(t *testing.T) {
	for _, program := range programs() {
		text := program.dockerfile()
		for _, want := range []string{
			"FROM scratch\n", "USER 65532:65532\n", "WORKDIR " + program.home + "\n", `ENTRYPOINT ["` + program.path + `"]`,
			"COPY --chown=65532:65532 folders/ /\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in\n%s", program.title, want, text)
			}
		}
		if strings.Contains(text, "--chmod") || strings.Contains(text, "<<") {
			t.Errorf("%s: the classic builder cannot build\n%s", program.title, text)
		}
		files := program.recipe("/some/binary").Files
		if files[0].Name != "program"+program.path || files[0].Mode != 0o755 || files[0].Path != "/some/binary" {
			t.Errorf("%s: the program is %+v", program.title, files[0])
		}
	}
}

func TestTheDockerfilesAreForTheClassicBuilder(t *testing.T) {
	for _, folder := range []string{"kind-node", "kube-proxy", "local-path-provisioner", "postgres"} {
		text := read(folder + "/Dockerfile")
		for _, newer := range []string{"--chmod", "<<", "--mount", "--platform", "# syntax="} {
			for line := range strings.Lines(text) {
				if !strings.HasPrefix(line, "#") && strings.Contains(line, newer) {
					t.Errorf("%s: %s", folder, line)
				}
			}
		}
		if !strings.Contains(text, "ARG BASE\nFROM $BASE\n") {
			t.Errorf("%s is not made from the base", folder)
		}
	}
}

func TestTheScriptsAreScripts(t *testing.T) {
	for script, shell := range map[string]string{
		"debian/rootfs.sh": "sh", "kind-node/import-images.sh": "sh", "local-path-provisioner/patient.sh": "sh",
		"postgres/entrypoint.sh": "bash",
	} {
		path, err := exec.LookPath(shell)
		if err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Logf("NOT TESTED: %s, without %s", script, shell)
			continue
		}
		cmd := exec.Command(path, "-n")
		cmd.Stdin = strings.NewReader(read(script))
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", script, err, output)
		}
	}
}

func TestEachPodHasAProgramOrARecipe(t *testing.T) {
	for _, name := range podPrograms() {
		if _, err := toolchain.SourceOf(name); err != nil {
			t.Error(err)
		}
	}
}

func TestAnImageThatKubeadmAsksForMustBeTheOneThatIsPinned(t *testing.T) {
	b := &builder{tools: map[toolchain.Name]toolchain.Tool{
		toolchain.CoreDNS: {Name: toolchain.CoreDNS, Version: "1.12.1"}, toolchain.Etcd: {Name: toolchain.Etcd, Version: "3.6.5"},
	}}
	for name, fits := range map[string]bool{
		"registry.k8s.io/coredns/coredns:v1.12.1": true, "registry.k8s.io/etcd:3.6.5-0": true, "registry.k8s.io/pause:3.10": true,
		"registry.k8s.io/coredns/coredns:v1.13.0": false, "registry.k8s.io/etcd:3.7.0-0": false,
	} {
		if err := b.fits(name); (err == nil) != fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPodsAreArchivedOnceAndNamedAsOftenAsNeeded(t *testing.T) {
	p := pods{all: []pod{{"ours/pause:1", "k8s/pause:3.10"}, {"ours/etcd:1", "k8s/etcd:3"}, {"ours/pause:1", "k8s/pause:3.10.1"}}}
	if got := strings.Join(p.archived(), " "); got != "ours/etcd:1 ours/pause:1" {
		t.Errorf("archived are %s", got)
	}
	if got := strings.Join(p.pairs(), " "); got != "ours/pause:1=k8s/pause:3.10 ours/etcd:1=k8s/etcd:3 ours/pause:1=k8s/pause:3.10.1" {
		t.Errorf("named are %s", got)
	}
}
