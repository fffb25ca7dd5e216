package gather

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/faultline-lab/faultline/postmortems/report"
)

const (
	replicaLabel = "instance"
	poolLabel    = "db_client_connection_pool_name"
)

// pools reads each pool of the workloads (docs/contracts.md, "Telemetry names").
func (g *Gatherer) pools(ctx context.Context, at report.Grid, names []string) report.Pools {
	var p report.Pools
	if len(names) == 0 {
		p.Used = report.Provenance{Source: prometheus, Unknown: "the record names no workload"}
		p.Idle, p.Pending, p.Max, p.Timeouts = p.Used, p.Used, p.Used, p.Used
		return p
	}
	of := jobs(names)
	byKey := poolsByKey{at: at}
	read := func(selector string, put func(*report.Pool, report.Line)) report.Provenance {
		from, series := g.ask(ctx, selector, at)
		for _, s := range series {
			put(byKey.pool(s.labels), s.values[1:])
		}
		return from
	}
	p.Used = read(`db_client_connection_count{`+of+`,db_client_connection_state="used"}`,
		func(p *report.Pool, l report.Line) { fill(p.Used, l) })
	p.Idle = read(`db_client_connection_count{`+of+`,db_client_connection_state="idle"}`,
		func(p *report.Pool, l report.Line) { fill(p.Idle, l) })
	p.Pending = read(`db_client_connection_pending_requests{`+of+`}`,
		func(p *report.Pool, l report.Line) { fill(p.Pending, l) })
	p.Max = read(`db_client_connection_max{`+of+`}`,
		func(p *report.Pool, l report.Line) { fill(p.Max, l) })
	var timeouts []labelled
	p.Timeouts, timeouts = g.ask(ctx, `db_client_connection_timeouts_total{`+of+`}`, at)
	byKey.count(timeouts)
	p.Pools = byKey.sorted()
	return p
}

// fill takes over what is known: one pool may have several series one after the other (a new version).
func fill(into, from report.Line) {
	for i, v := range from {
		if !math.IsNaN(v) {
			into[i] = v
		}
	}
}

type poolKey struct{ replica, pool string }

type poolsByKey struct {
	at    report.Grid
	pools map[poolKey]*report.Pool
}

func (b *poolsByKey) pool(labels map[string]string) *report.Pool {
	key := poolKey{labels[replicaLabel], labels[poolLabel]}
	if b.pools == nil {
		b.pools = map[poolKey]*report.Pool{}
	}
	if b.pools[key] == nil {
		n := b.at.Len
		b.pools[key] = &report.Pool{
			Replica: key.replica, Name: key.pool, Used: report.NewLine(n), Idle: report.NewLine(n),
			Pending: report.NewLine(n), Timeouts: report.NewLine(n), Max: report.NewLine(n),
		}
	}
	return b.pools[key]
}

// count fills in the timeouts of each pool, restarts allowed for.
func (b *poolsByKey) count(series []labelled) {
	grouped := map[*report.Pool][]member{}
	for _, s := range series {
		pool := b.pool(s.labels)
		grouped[pool] = append(grouped[pool], member{owner: s.labels[replicaLabel], values: s.values})
	}
	for pool, members := range grouped {
		pool.Timeouts = increments(members, presence(members, b.at.Len), b.at.Len)
	}
}

func (b *poolsByKey) sorted() []report.Pool {
	pools := make([]report.Pool, 0, len(b.pools))
	for _, pool := range b.pools {
		pools = append(pools, *pool)
	}
	slices.SortFunc(pools, func(x, y report.Pool) int {
		return cmp.Or(cmp.Compare(x.Replica, y.Replica), cmp.Compare(x.Name, y.Name))
	})
	return pools
}
