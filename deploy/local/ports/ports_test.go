package ports

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestThePortsOfTheEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		environ []string
		port    Name
		want    int
	}{
		"without settings they are those of the contract": {nil, Storefront, 8080},
		"the replicas of orders have one each":            {nil, Orders(8), 8108},
		"an offset moves every one":                       {[]string{"FAULTLINE_PORT_OFFSET=20000"}, OrdersDB, 25434},
		"one can be set":                                  {[]string{"FAULTLINE_PORT_OTLP_GRPC=14317"}, OTLPGRPC, 14317},
		"one that is set is not moved":                    {[]string{"FAULTLINE_PORT_OFFSET=100", "FAULTLINE_PORT_LOKI=3200"}, Loki, 3200},
		"an empty setting is none":                        {[]string{"FAULTLINE_PORT_OFFSET=", "FAULTLINE_PORT_LOKI="}, Loki, 3100},
		"other variables do not matter":                   {[]string{"PORT=1", "FAULTLINE_ROOT=/x"}, Loki, 3100},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := FromEnv(c.environ)
			if err != nil {
				t.Fatal(err)
			}
			if set[c.port] != c.want {
				t.Errorf("%s is %d, want %d", c.port, set[c.port], c.want)
			}
		})
	}
}

func TestSettingsThatCannotBeAreRefusedByName(t *testing.T) {
	for name, c := range map[string]struct {
		setting string
		says    []string
	}{
		"an offset that is no number":     {"FAULTLINE_PORT_OFFSET=some", []string{"FAULTLINE_PORT_OFFSET", "some"}},
		"an offset beyond the last port":  {"FAULTLINE_PORT_OFFSET=60000", []string{"65535", "FAULTLINE_PORT_OFFSET"}},
		"a port that is no number":        {"FAULTLINE_PORT_LOKI=x", []string{"FAULTLINE_PORT_LOKI", `"x"`}},
		"a name that is none":             {"FAULTLINE_PORT_LOKKI=1", []string{"FAULTLINE_PORT_LOKKI", "FAULTLINE_PORT_LOKI,"}},
		"a number that has another owner": {"FAULTLINE_PORT_LOKI=8080", []string{"loki", "storefront", "8080"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := FromEnv([]string{c.setting})
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestTheCheckNamesEveryTakenPortAndItsHolder(t *testing.T) {
	set, err := Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Check(t.Context()); err != nil {
		t.Fatalf("all are free: %v", err)
	}
	for _, name := range []Name{Loki, Orders(3)} {
		listener, err := net.Listen("tcp", set.Address(name))
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
	}
	err = set.Check(t.Context())
	var taken *TakenError
	if !errors.As(err, &taken) || len(taken.Taken) != 2 {
		t.Fatalf("got %v, want two taken ports", err)
	}
	says := []string{
		fmt.Sprintf("%d, wanted by loki", set[Loki]), fmt.Sprintf("%d, wanted by orders-3", set[Orders(3)]),
		"FAULTLINE_PORT_", "FAULTLINE_PORT_OFFSET", "stack down",
	}
	if runtime.GOOS == "linux" {
		says = append(says, fmt.Sprintf("process %d (", os.Getpid()))
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("it does not say %q:\n%v", part, err)
		}
	}
}

func TestAListenerOnAllAddressesTakesThePortToo(t *testing.T) {
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	set := Set{Loki: listener.Addr().(*net.TCPAddr).Port}
	var taken *TakenError
	if err := set.Check(t.Context()); runtime.GOOS == "linux" && !errors.As(err, &taken) {
		t.Errorf("got %v, want that it is taken", err)
	}
}
