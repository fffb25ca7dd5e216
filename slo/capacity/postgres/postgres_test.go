package postgres_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/slo/capacity"
	"github.com/faultline-lab/faultline/slo/capacity/postgres"
)

func server(t *testing.T) string {
	t.Helper()
	url := os.Getenv("FAULTLINE_TEST_POSTGRES_URL")
	if url == "" {
		const what = "FAULTLINE_TEST_POSTGRES_URL is unset: NOT TESTED is what a real Postgres says of its slots. " +
			"`make test` provides one; set it to the superuser URL of a throwaway server."
		if os.Getenv("CI") == "true" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	return url
}

// session opens one under a name that no other test has.
func session(t *testing.T, url, name string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = name
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

func TestARealServerSaysWhatSlotsItHasAndWhoHasThem(t *testing.T) {
	url := server(t)
	workload := fmt.Sprintf("shop%d", os.Getpid())
	asked := session(t, url, workload+"/"+workload+"-1")
	session(t, url, workload+"/"+workload+"-1")
	job := fmt.Sprintf("nightly-%d", os.Getpid())
	session(t, url, job)
	var most, superusers, reserved int
	err := asked.QueryRow(t.Context(), `SELECT current_setting('max_connections')::int, current_setting('superuser_reserved_connections')::int,
		current_setting('reserved_connections')::int`).Scan(&most, &superusers, &reserved)
	if err != nil {
		t.Fatal(err)
	}

	slots, err := postgres.Ask(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if slots.MaxConnections != most || slots.Reserved != superusers+reserved {
		t.Errorf("%d slots, %d reserved; the server has %d, %d and %d", slots.MaxConnections, slots.Reserved, most, superusers, reserved)
	}
	if got := slots.Sessions[workload+"/"+workload+"-1"]; got != 2 {
		t.Errorf("%d sessions of the pool were seen, 2 were opened", got)
	}
	if got := slots.Sessions["slo-capacity"]; got != 0 {
		t.Errorf("the question counts itself: %d", got)
	}
	of, others := slots.Server([]capacity.Load{{Workload: workload}})
	if !slices.Contains(others, job+": 1") || strings.Contains(strings.Join(others, " "), workload) {
		t.Errorf("others are %q; the job is one of them, the pool's own sessions are not", others)
	}
	if of.MaxConnections != most || of.Others < 1 {
		t.Errorf("server %+v", of)
	}
}

func TestSessionsOfTheMeasuredWorkloadsAreNoOthers(t *testing.T) {
	slots := postgres.Slots{MaxConnections: 40, Reserved: 6, Sessions: map[string]int{
		"orders/orders-1": 4, "orders/orders-2": 4, "orders-probe/orders-1": 1, "autoheal/autoheal-1": 1, "": 2,
	}}
	got, others := slots.Server([]capacity.Load{{Workload: "orders"}})
	if got != (capacity.Server{MaxConnections: 40, Reserved: 6, Others: 4}) {
		t.Errorf("got %+v, want 4 others", got)
	}
	if want := []string{"without an application_name: 2", "autoheal/autoheal-1: 1", "orders-probe/orders-1: 1"}; !slices.Equal(others, want) {
		t.Errorf("others %q, want %q", others, want)
	}
}

func TestAServerThatCannotBeAskedIsNamedWithoutItsPassword(t *testing.T) {
	for name, row := range map[string]struct{ url, want string }{
		"nobody listens": {"postgres://u:geheim@127.0.0.1:1/x", "127.0.0.1:1"},
		"no URL":         {"postgres://u:geh%eim@/x", "not of the form"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := postgres.Ask(t.Context(), row.url)
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "geh") {
				t.Errorf("error %v; want one with %q and without the password", err, row.want)
			}
		})
	}
}
