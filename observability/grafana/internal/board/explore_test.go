package board

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

func TestALinkToExploreIsWholeOnceGrafanaHasFilledItIn(t *testing.T) {
	link := exploreLogs(`{service_name="${__field.labels.job}"} |= "a + b"`)
	link = strings.NewReplacer("${loki}", "some-uid", "${__field.labels.job}", "orders",
		"${__from}", "1767323045000", "${__to}", "1767323945000").Replace(link)
	address, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	var panes map[string]struct {
		Datasource string
		Queries    []struct {
			Expr       string
			Datasource struct{ UID string }
		}
		Range struct{ From, To string }
	}
	if err := json.Unmarshal([]byte(address.Query().Get("panes")), &panes); err != nil {
		t.Fatalf("%v in %s", err, link)
	}
	pane := panes["logs"]
	if pane.Datasource != "some-uid" || len(pane.Queries) != 1 || pane.Queries[0].Datasource.UID != "some-uid" ||
		pane.Queries[0].Expr != `{service_name="orders"} |= "a + b"` || pane.Range.From != "1767323045000" {
		t.Errorf("the link is %+v", pane)
	}
	if strings.Contains(link, "$") {
		t.Errorf("a variable is left in %s", link)
	}
}
