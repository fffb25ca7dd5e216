package kind

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// fakeCluster is an engine with one kind cluster, as far as finding and deleting it goes: a docker command that tells of its
// node, and an API server that has the marker. mount is what the node has mounted. It returns whether it is there still.
func fakeCluster(t *testing.T, name, mount string, marker Marker) (there func() bool) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/api/v1/namespaces/"+markerNamespace+"/configmaps/"+markerName {
			t.Errorf("the API server is asked for %s", r.URL.Path)
		}
		saying := marker.configMap()
		saying.APIVersion, saying.Kind = "v1", "ConfigMap"
		if err := json.NewEncoder(w).Encode(saying); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	alive := filepath.Join(dir, "alive")
	touch(t, alive)
	admin := filepath.Join(dir, "admin.conf")
	if err := os.WriteFile(admin, []byte(`{apiVersion: v1, kind: Config, clusters: [{name: x, cluster: {server: "https://x", insecure-skip-tls-verify: true}}],
users: [{name: x, user: {token: x}}], contexts: [{name: x, context: {cluster: x, user: x}}], current-context: x}`), 0o600); err != nil {
		t.Fatal(err)
	}
	fakeDocker(t, engineWith+fmt.Sprintf(`name=%s mount=%s alive=%s admin=%s port=%s
case $1 in
rm) rm "$alive"; exit;;
ps)
  [ -e "$alive" ] || exit 0
  case "$*" in *volume=*) case "$*" in *"volume=$mount "*) ;; *) exit 0;; esac;; esac
  case "$*" in *kind.cluster=*) case "$*" in *"kind.cluster=$name"*) ;; *) exit 0;; esac;; esac
  case "$*" in *--quiet*) echo abc;; *Names*) echo "$name-control-plane";; *) echo "$name";; esac;;
container) echo '{"Id":"abc","Name":"/'$name'-control-plane","State":{"Running":true},"Mounts":[{"Destination":"'$mount'"}]}';;
inspect) case "$*" in *role*) echo control-plane;; *desktop*) echo;; *) printf '127.0.0.1\t%%s\n' $port;; esac;;
exec) cat "$admin";;
*) exit 1;;
esac`, name, mount, alive, admin, server.URL[len("https://127.0.0.1:"):]))
	return func() bool { return exists(alive) }
}
