package airgap

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
)

// built are the real images, which take minutes to make and a gigabyte to keep: only where they are asked for.
func built(t *testing.T) (docker.Engine, Result) {
	t.Helper()
	if os.Getenv("FAULTLINE_TEST_AIRGAP") == "" {
		t.Skip("NOT TESTED: the images themselves. FAULTLINE_TEST_AIRGAP=1 builds and tries them (root, Docker)")
	}
	result, err := Build(t.Context(), Options{Progress: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := docker.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return engine, result
}

func TestTheRealImagesAreThereOnceTheyAreBuilt(t *testing.T) {
	engine, result := built(t)
	again, present, err := Present(t.Context(), Options{})
	if err != nil || !present || again.Node != result.Node {
		t.Errorf("present is %v, the node %s, %v", present, again.Node, err)
	}
	images, err := engine.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range append(slices.Collect(maps.Values(result.Stack)), result.Node) {
		labels, err := engine.Output(t.Context(), "image", "inspect", `--format={{index .Config.Labels "dev.faultline.airgap"}} `+
			`{{index .Config.Labels "`+makerLabel+`"}}`, ref)
		if err != nil || labels != "image" {
			t.Errorf("%s has the labels %q, want ours and no maker: %v", ref, labels, err)
		}
	}
	for name := range images {
		if strings.HasPrefix(name, registry+"pod-") || strings.HasSuffix(name, "-empty") {
			t.Errorf("%s was only on the way, and is still there", name)
		}
	}
}

func TestTheRealProgramsSayTheirVersions(t *testing.T) {
	engine, result := built(t)
	for official, args := range map[string][]string{
		"docker.io/prom/prometheus": {"--version"}, "docker.io/prom/alertmanager": {"--version"},
		"docker.io/grafana/loki": {"--version"}, "docker.io/jaegertracing/jaeger": {"version"},
	} {
		ref := result.Stack[official]
		_, tag, _ := strings.Cut(ref, ":")
		version, _, _ := strings.Cut(tag, "-")
		output, err := engine.Output(t.Context(), append([]string{"run", "--rm", "--read-only", "--cap-drop=ALL", ref}, args...)...)
		if err != nil || !strings.Contains(output, version) {
			t.Errorf("%s: %s, %v", ref, output, err)
		}
	}
	output, err := engine.Output(t.Context(), "run", "--rm", "--entrypoint=kubelet", result.Node, "--version")
	if err != nil || !strings.Contains(output, "v1.34") {
		t.Errorf("%s: %s, %v", result.Node, output, err)
	}
}

// database is a container of the Postgres image that is gone with the test.
type database struct {
	t      *testing.T
	engine docker.Engine
	name   string
}

func start(t *testing.T, engine docker.Engine, flags []string, args ...string) database {
	t.Helper()
	d := database{t, engine, fmt.Sprintf("faultline-test-%d-%d", os.Getpid(), time.Now().UnixNano())}
	t.Cleanup(func() {
		_, _ = engine.Output(context.WithoutCancel(t.Context()), "rm", "--force", "--volumes", d.name)
	})
	command := append([]string{"run", "--detach", "--name=" + d.name}, flags...)
	if _, err := engine.Output(t.Context(), append(command, args...)...); err != nil {
		t.Fatal(err)
	}
	return d
}

// query waits until the server is the real one, which listens on TCP, and asks it.
func (d database) query(sql string) string {
	d.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		output, err := d.engine.Output(d.t.Context(), "exec", "--env=PGPASSWORD=secret", d.name,
			"psql", "--host=127.0.0.1", "--username=postgres", "--dbname=app", "--tuples-only", "--no-align", "--command="+sql)
		if err == nil {
			return output
		}
		if time.Now().After(deadline) {
			d.t.Fatal(err)
		}
	}
}

func TestTheRealPostgresStartsLikeTheOfficialOne(t *testing.T) {
	engine, result := built(t)
	scripts := t.TempDir()
	for name, text := range map[string]string{
		"10-role.sh":   `psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -c 'CREATE ROLE orders LOGIN'`,
		"20-table.sql": "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42);",
	} {
		if err := os.WriteFile(filepath.Join(scripts, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(scripts, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, flags := range map[string][]string{
		"as root, who becomes postgres":   nil,
		"as postgres, with no capability": {"--user=999:999", "--cap-drop=ALL", "--security-opt=no-new-privileges"},
	} {
		t.Run(name, func(t *testing.T) {
			flags := append(flags, "--env=POSTGRES_PASSWORD=secret", "--env=POSTGRES_DB=app",
				"--env=POSTGRES_INITDB_ARGS=--data-checksums --encoding=UTF8", "--volume="+scripts+":/docker-entrypoint-initdb.d:ro")
			d := start(t, engine, flags, result.Stack["docker.io/library/postgres"], "-c", "max_connections=40")
			const everything = "SELECT n, current_setting('max_connections'), (SELECT count(*) FROM pg_roles WHERE rolname = 'orders') FROM kept"
			if got := d.query(everything); got != "42|40|1" {
				t.Errorf("got %s", got)
			}
			if _, err := engine.Output(t.Context(), "restart", d.name); err != nil {
				t.Fatal(err)
			}
			if got := d.query(everything); got != "42|40|1" {
				t.Errorf("after a restart: %s", got)
			}
			uid, err := engine.Output(t.Context(), "exec", d.name, "stat", "--format=%u", "/proc/1")
			if err != nil || uid != "999" {
				t.Errorf("the server runs as user %s, %v", uid, err)
			}
		})
	}
}

func TestTheRealPostgresLeavesNoHalfMadeDataFolder(t *testing.T) {
	engine, result := built(t)
	scripts, data := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(scripts, "10-wrong.sql"), []byte("nonsense;"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := engine.Output(t.Context(), "run", "--rm", "--env=POSTGRES_PASSWORD=secret", "--env=PGDATA=/data",
		"--volume="+data+":/data", "--volume="+scripts+":/docker-entrypoint-initdb.d:ro", result.Stack["docker.io/library/postgres"])
	if err == nil || !strings.Contains(err.Error(), "/data is empty again") {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(data); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}
