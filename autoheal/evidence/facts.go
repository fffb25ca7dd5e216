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
	Loki       = "loki"   // it corroborates, and decides nothing
	Jaeger     = "jaeger" // as Loki
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
	PoolHoldMean        = "pool_hold_mean"        // of the connections given back within the counter window; s
)

// Facts of the ways out of a service, from Prometheus, within the counter window.
const (
	RoundTripQuick = "round_trip_quick_share" // of the round trips to the database, those within QuickTrip; the subject is the replica
	CallTimeMean   = "call_time_mean"         // the subject is the workload that was called by one behind the edge; s
)

// Facts of the edge, from Prometheus. The subject is the edge workload.
const (
	EdgeTotal         = "edge_checkouts" // all but 4xx, within the counter window
	EdgeGoodRatio     = "edge_good_ratio"
	EdgeArrivalRate   = "edge_arrival_rate"        // checkouts, within six scrapes; 1/s
	EdgeArrivalBefore = "edge_arrival_rate_before" // what it used to be in the last two minutes (at scrapes of 1 s); 1/s
	EdgeArrivalRatio  = "edge_arrival_ratio"       // of the two
)

// Facts of a replica's release, from Prometheus. The threshold of the age is the window in which a release is evidence.
const (
	ReleaseAge  = "release_age"  // since its version was first seen; s
	ReleaseLead = "release_lead" // how much longer ago the oldest version of its workload was; s
)

// Facts of a replica's database sessions, from Postgres. The subject is the replica.
const (
	Sessions              = "sessions"
	SessionsIdle          = "sessions_idle"
	SessionsIdleLong      = "sessions_idle_long" // idle for LongestHold or longer
	SessionsIdleYoungest  = "sessions_idle_youngest"
	SessionsIdleOldest    = "sessions_idle_oldest"
	SessionsActive        = "sessions_active"
	SessionsActiveLong    = "sessions_active_long"   // one statement for LongestHold or longer, and no wait for a lock
	SessionsActiveOldest  = "sessions_active_oldest" // of those that wait for no lock; s
	SessionsInTransaction = "sessions_idle_in_transaction"
	SessionsLockWait      = "sessions_lock_wait"
)

// Facts of the database server, from Postgres. The subject is "server".
const (
	ServerSessions       = "server_sessions"
	ServerMaxConnections = "server_max_connections"
	ServerReservedSlots  = "server_reserved_slots" // not for everybody
	ForeignSessions      = "foreign_sessions"      // of no workload, nor the healer's
	LockRoots            = "lock_roots"            // sessions that others wait for and that wait for nobody
	LockRootOldest       = "lock_root_oldest"      // the oldest transaction of a root; 0 where nobody waits; s
	LockRootWaiters      = "lock_root_waiters"     // sessions that wait for a lock
	TransactionOldest    = "transaction_oldest"    // of any session, whether anybody waits for it or not; s
)

// Facts of one session each, which is in Fact.Session; at most sessionFacts of a kind, the oldest.
const (
	LockRoot       = "lock_root"       // the age of its transaction; the subject is its application; s
	LockWaiters    = "lock_waiters"    // how many sessions of a workload, the subject, wait for it in the end
	LongQuery      = "long_query"      // the age of its statement; the subject is its application; s
	ForeignSession = "foreign_session" // its own age; the subject is its application; s
)

// Facts of a replica, from the workload list.
const (
	ReplicaReady    = "replica_ready" // 1 or 0
	ReplicaAge      = "replica_age"
	ReplicaVersion  = "replica_version"  // 1; the version is the detail
	ReplicaWorkload = "replica_workload" // 1; the workload is the detail
)

// Facts from logs and traces of the last seconds.
const (
	ErrorLines = "error_lines" // the subject is service/error_code
	TracePart  = "trace_part"  // of slow orders: mean time in a part, which is the subject; s
)

// QuickTrip is how long a round trip to the database takes at most where the way is sound, as the histogram's bucket says it.
const QuickTrip = "0.05"

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
