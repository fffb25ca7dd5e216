package signature

// Sources.
const (
	Prometheus = "prometheus"
	Postgres   = "postgres"
	Workloads  = "workloads"
	Loki       = "loki"
	Jaeger     = "jaeger"
)

// Facts of a pool, from Prometheus. The subject is the replica; counters and means are those of the last three scrapes.
const (
	PoolIdle            = "pool_idle_connections"
	PoolUsed            = "pool_used_connections"
	PoolMax             = "pool_max_connections"
	PoolPending         = "pool_pending_requests"
	PoolTimeouts        = "pool_timeouts"          // callers who gave up waiting
	PoolReleases        = "pool_releases"          // connections given back
	PoolConnectRefusals = "pool_connect_refusals"  // SQLSTATE 53300
	PoolConnectFailures = "pool_connect_failures"  // the subject is replica/SQLSTATE
	PoolHoldMean        = "pool_hold_mean"         // of connections that were given back; s
	PoolWaitMean        = "pool_wait_mean"         // of callers that got one; s
	RoundTripMean       = "round_trip_mean"        // to the database, on a connection of its own; s
	RoundTripQuick      = "round_trip_quick_share" // of these, those within 50 ms
	RequestRate         = "request_rate"           // that the replica answered, upkeep left out; 1/s
)

// Facts of calls and of the edge, from Prometheus.
const (
	CallTimeMean     = "call_time_mean"     // of orders; the subject is the workload that was called; s
	EdgeTotal        = "edge_checkouts"     // all but 4xx
	EdgeGoodRatio    = "edge_good_ratio"    // of these, 2xx within 0.5 s
	EdgeArrivalRate  = "edge_arrival_rate"  // checkouts; 1/s
	EdgeArrivalRatio = "edge_arrival_ratio" // of that to the rate from 40 s to 20 s ago
	ReleaseAge       = "release_age"        // the subject is a replica; since its version was first seen, at most 5 min; s
	ReleaseLead      = "release_lead"       // how much longer ago the oldest version was first seen; s
)

// Facts of a replica's database sessions, from Postgres. The subject is the replica.
const (
	Sessions                  = "sessions"
	SessionsIdle              = "sessions_idle"
	SessionsIdleLong          = "sessions_idle_long" // idle for LongestHold or longer
	SessionsIdleOldest        = "sessions_idle_oldest"
	SessionsActive            = "sessions_active"
	SessionsActiveLong        = "sessions_active_long" // one statement for LongestHold or longer, and it waits for no lock
	SessionsInTransaction     = "sessions_idle_in_transaction"
	SessionsLockWait          = "sessions_lock_wait"
	SessionsOldestTransaction = "sessions_oldest_transaction" // s
)

// Facts of the database server, from Postgres. The subject is "server", or the application.
const (
	ServerSessions       = "server_sessions"
	ServerMaxConnections = "server_max_connections"
	ServerReservedSlots  = "server_reserved_slots"
	ForeignSessions      = "foreign_sessions"       // of no workload
	ApplicationSessions  = "application_sessions"   // the subject is the application's name up to the slash
	LockRoots            = "lock_roots"             // sessions that others wait for and that wait for nobody
	LockRootOldest       = "lock_root_oldest"       // the oldest transaction of a root; 0 where nobody waits; s
	LockRootWaiters      = "lock_root_waiters"      // sessions that wait for a lock
	QueryShape           = "query_shape"            // sessions that are active with this statement; the subject is its beginning
	TransactionShape     = "idle_transaction_shape" // sessions idle in transaction after this statement
)

// Facts of a replica, from the workload list.
const (
	ReplicaReady    = "replica_ready" // 1 or 0
	ReplicaAge      = "replica_age"   // s
	ReplicaRestarts = "replica_restarts"
	ReplicaVersion  = "replica_version" // 1; the version is the detail
)

// Facts from logs and traces of the last seconds.
const (
	ErrorLines = "error_lines" // the subject is service/error_code
	TracePart  = "trace_part"  // of slow and failed orders: mean time in a part, which is the subject; s
)

// LongestHold is longer than any legitimate hold of a connection, in seconds: orders' own deadline is 0.8 s.
const LongestHold = 1.0
