package evidence

import (
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// Sources.
const (
	Prometheus = "prometheus"
	Postgres   = "postgres"
	Workloads  = "workloads"
)

// Facts of a pool, from Prometheus. The subject is the replica.
const (
	poolFacts           = "pool_" // what all their names begin with
	PoolIdle            = "pool_idle_connections"
	PoolUsed            = "pool_used_connections"
	PoolMax             = "pool_max_connections"
	PoolPending         = "pool_pending_requests"
	PoolTimeouts        = "pool_timeouts"         // callers who gave up waiting, within the counter window
	PoolReleases        = "pool_releases"         // connections given back, within all samples of the selector
	PoolLastReleaseAge  = "pool_last_release_age" // the last of them came at most so long ago; missing where there was none
	PoolConnectRefusals = "pool_connect_refusals" // SQLSTATE 53300, within the counter window
)

// Facts of the edge, from Prometheus. The subject is the edge workload.
const (
	EdgeTotal     = "edge_checkouts" // all but 4xx, within the counter window
	EdgeGoodRatio = "edge_good_ratio"
)

// Facts of a replica's database sessions, from Postgres. The subject is the replica.
const (
	Sessions              = "sessions"
	SessionsIdle          = "sessions_idle"
	SessionsIdleLong      = "sessions_idle_long" // idle for LongestHold or longer
	SessionsIdleYoungest  = "sessions_idle_youngest"
	SessionsIdleOldest    = "sessions_idle_oldest"
	SessionsActive        = "sessions_active"
	SessionsInTransaction = "sessions_idle_in_transaction"
	SessionsLockWait      = "sessions_lock_wait"
)

// Facts of the database server, from Postgres. The subject is "server".
const (
	ServerSessions       = "server_sessions"
	ServerMaxConnections = "server_max_connections"
	ServerReservedSlots  = "server_reserved_slots"
)

// Facts of a replica, from the workload list.
const (
	ReplicaReady = "replica_ready" // 1 or 0
	ReplicaAge   = "replica_age"
)

// LongestHold is longer than any legitimate hold of a connection: orders' own deadline is 0.8 s.
const LongestHold = time.Second

// DefaultScrape is how often Prometheus reads the services where nobody says otherwise.
const DefaultScrape = time.Second

// CounterWindow is how far back increases of counters are taken: three scrapes.
func CounterWindow(scrape time.Duration) time.Duration { return 3 * scrape }

// Facts finds facts by name and subject.
type Facts []incident.Fact

// Get returns a known fact. A fact that is missing and one that is unknown are the same: false.
func (f Facts) Get(name, subject string) (incident.Fact, bool) {
	for _, fact := range f {
		if fact.Name == name && fact.Subject == subject {
			return fact, fact.Status == incident.Known
		}
	}
	return incident.Fact{}, false
}

// Subjects returns all that one kind of fact is about, known or not, sorted.
func (f Facts) Subjects(name string) []string {
	var subjects []string
	for _, fact := range f {
		if fact.Name == name && !slices.Contains(subjects, fact.Subject) {
			subjects = append(subjects, fact.Subject)
		}
	}
	slices.Sort(subjects)
	return subjects
}

// unknown makes the fact that something could not be had.
func unknown(source, name, subject, query, why string, at time.Time) incident.Fact {
	return incident.Fact{
		Name: name, Source: source, Subject: subject, Query: query, Status: incident.Unknown, Unit: "1", Detail: why, At: at,
	}
}
