package toolchain

import "testing"

func TestParse(t *testing.T) {
	const jaeger = `{"gitCommit":"6f0c1a","gitVersion":"v2.13.0","buildDate":"2025-12-03T00:00:00Z"}`
	for name, test := range map[string]struct {
		program Name
		output  string
		want    release // zero: an error
	}{
		"Prometheus, official": {
			Prometheus,
			"prometheus, version 3.5.0 (branch: HEAD, revision: 8be3a9)\n  build user: root@x\n  go version: go1.24.5",
			release{3, 5, 0},
		},
		"Prometheus, Debian":            {Prometheus, "prometheus, version 2.42.0+ds (branch: debian/sid)", release{2, 42, 0}},
		"a release candidate":           {Prometheus, "prometheus, version 3.0.0-rc.1 (branch: HEAD)", release{3, 0, 0}},
		"built by hand: no version":     {Prometheus, "prometheus, version  (branch: , revision: unknown)\n  go version:  go1.26.8", release{}},
		"promtool":                      {Promtool, "promtool, version 3.5.0 (branch: HEAD, revision: 8be3a9)", release{3, 5, 0}},
		"Alertmanager":                  {Alertmanager, "alertmanager, version 0.28.1 (branch: HEAD)", release{0, 28, 1}},
		"Loki":                          {Loki, "loki, version 3.5.1 (branch: release-3.5.x)", release{3, 5, 1}},
		"Loki with a v":                 {Loki, "loki, version v3.4 (branch: x)", release{3, 4, 0}},
		"Jaeger":                        {Jaeger, jaeger, release{2, 13, 0}},
		"Jaeger after lines of its log": {Jaeger, "2026/01/02 03:04:05 maxprocs: GOMAXPROCS=2\n" + jaeger, release{2, 13, 0}},
		"Jaeger without a version":      {Jaeger, `{"gitCommit":"","gitVersion":"","buildDate":""}`, release{}},
		"Toxiproxy":                     {Toxiproxy, "toxiproxy-server version 2.12.0", release{2, 12, 0}},
		"Toxiproxy from a checkout":     {Toxiproxy, "toxiproxy-server version git", release{}},
		"another program of that name":  {Loki, "usage: loki [options]", release{}},
		"a program that says nothing":   {Loki, "", release{}},
		"an absurdly long version":      {Loki, "loki, version 99999999999999999999.1.1", release{}},
	} {
		t.Run(name, func(t *testing.T) {
			specs, err := pick(catalogue(), []Name{test.program})
			if err != nil {
				t.Fatal(err)
			}
			got, err := parse(specs[0].version, test.output)
			if (err != nil) != (test.want == release{}) {
				t.Fatalf("got %s, error %v", got, err)
			}
			if err == nil && got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestBefore(t *testing.T) {
	for name, test := range map[string]struct {
		a, b release
		want bool
	}{
		"an older major":                        {release{2, 55, 1}, release{3, 0, 0}, true},
		"a newer major with an older minor":     {release{3, 0, 0}, release{2, 55, 1}, false},
		"an older minor":                        {release{0, 9, 9}, release{0, 27, 0}, true},
		"minors are numbers, not text":          {release{0, 100, 0}, release{0, 27, 0}, false},
		"an older patch":                        {release{3, 0, 1}, release{3, 0, 2}, true},
		"the same release is not before itself": {release{3, 0, 0}, release{3, 0, 0}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.a.before(test.b); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
