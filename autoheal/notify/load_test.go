package notify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const good = `version: 1
receivers:
  - name: chat
    kinds: [handed-over, approval]
    pages_only: true
    timeout: 2s
    webhook:
      method: PUT
      url_file: /run/secrets/chat
      headers:
        Authorization: {prefix: "Bearer ", file: /run/secrets/token}
        X-Team: {value: shop}
      body: '{"text": {{json .Text}}}'
  - name: dashboards
    grafana: {url: "http://127.0.0.1:3000/", token_file: /run/secrets/grafana, tags: [healer]}
`

func TestAFileOfReceiversIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify.yaml")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	receivers, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(receivers) != 2 || receivers[0].method != "PUT" || len(receivers[0].kinds) != 2 || !receivers[0].pagesOnly ||
		receivers[1].url.text != "http://127.0.0.1:3000/api/annotations" {
		t.Errorf("read %+v", receivers)
	}
	if none, err := Load(""); err != nil || none != nil {
		t.Errorf("without a file: %v, %v", none, err)
	}
}

func TestAWrongFileFailsAtOnceAndSaysWhere(t *testing.T) {
	for _, test := range []struct{ name, from, to, want string }{
		{"another version", "version: 1", "version: 2", "n.yaml:1:"},
		{"an unknown key", "pages_only", "page_only", "n.yaml:5:"},
		{"an unknown kind", "[handed-over, approval]", "[handed-over, opend]", `n.yaml:4:`},
		{"an unknown kind says which there are", "approval]", "opend]", `unknown kind "opend"; there are: acted, approval, handed-over, opened, recovered, storm, undone`},
		{"a template that cannot be read", "{{json .Text}}", "{{json .Text}", "n.yaml:13:"},
		{"a template with an unknown field", "{{json .Text}}", "{{json .Txt}}", "there are .Seq .At"},
		{"a template that makes no JSON", "{{json .Text}}", `"{{.Text}}"`, "is no JSON: write {{json .Text}}"},
		{"no address", "url_file: /run/secrets/chat", "method: PUT", "n.yaml:"},
		{"a method without a body", "method: PUT", "method: GET", `method "GET" carries no body; there are: PATCH, POST, PUT`},
		{"a header of nothing", "{value: shop}", "{prefix: shop}", "header X-Team needs either value, or file"},
		{"two of a name", "name: dashboards", "name: chat", `n.yaml:14:`},
		{"no name", "name: chat", "name: ''", "the receiver has no name"},
		{"a time-out of an hour", "timeout: 2s", "timeout: 1h", "up to 1m"},
		{"no URL", `"http://127.0.0.1:3000/"`, "grafana", "n.yaml:15:"},
		{"a password in a URL", `"http://127.0.0.1:3000/"`, `"http://u:hunter2@127.0.0.1:3000/"`, "the URL holds a password"},
		{"no token for Grafana", "token_file: /run/secrets/grafana, ", "", "token_file is missing"},
		{"both", "    grafana:", "    webhook: {url: 'http://x'}\n    grafana:", "needs either webhook or grafana"},
		{"nobody", good, "version: 1\nreceivers: []\n", "there are no receivers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(good, test.from) {
				t.Fatalf("the good file has no %q", test.from)
			}
			_, err := Parse("n.yaml", []byte(strings.Replace(good, test.from, test.to, 1)))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "n.yaml:") {
				t.Fatalf("%v; want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}
