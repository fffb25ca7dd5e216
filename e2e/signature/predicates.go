package signature

// Predicates lists the evidence: first what decides for one fault each, then what tells of the symptom.
func Predicates() []Predicate {
	return append(deciding(), symptoms()...)
}

func deciding() []Predicate {
	return append(insideThePool(), outsideThePool()...)
}

func insideThePool() []Predicate {
	return []Predicate{
		{
			Name: "leaked-connections", Says: "Pools of orders call connections used that Postgres has seen idle for 1 s or more.",
			Reads: []string{SessionsIdleLong, PoolIdle}, Threshold: 2, Unit: "{connection}", Value: leaked(false),
			Why: "Pool and server are read up to a scrape apart, so one connection may be counted wrongly; two may not.",
		},
		{
			Name: "leaks-on-new-release", Says: "Those connections are of replicas whose version is younger than another that served before.",
			Reads: []string{SessionsIdleLong, PoolIdle, ReleaseLead}, Threshold: 2, Unit: "{connection}", Value: leaked(true),
			Why: "As above.",
		},
		{
			Name: "long-queries", Says: "Backends of orders have worked on one statement for 1 s or more, and wait for no lock.",
			Reads: []string{SessionsActiveLong}, Threshold: 1, Unit: "{session}", Value: total(SessionsActiveLong, "orders"),
			Why: "An order's own deadline is 0.8 s: a statement that is older belongs to no order, and one is enough to say so.",
		},
		{
			Name: "old-lock-root", Says: "A session that others wait for has had its transaction open for 1 s or more.",
			Reads: []string{LockRootOldest}, Threshold: 1, Unit: "s", Value: largest(LockRootOldest, "server"),
			Why: "Reservations wait for each other's rows all the time, for milliseconds; no reservation lives longer than 0.45 s.",
		},
	}
}

func outsideThePool() []Predicate {
	return []Predicate{
		{
			Name: "slow-round-trip", Says: "Hardly a round trip from a replica of orders to its database comes back within 50 ms.",
			Reads: []string{RoundTripQuick}, Threshold: 0.25, Below: true, Unit: "1", Value: least(RoundTripQuick, "orders"),
			Why: "One round trip in three is slow now and then when a processor is busy, and makes a mean jump; a slow way spares none.",
		},
		{
			Name: "foreign-sessions", Says: "A quarter of the server's slots or more are held by sessions of no workload.",
			Reads: []string{ForeignSessions, ServerMaxConnections}, Threshold: 0.25, Unit: "1", Value: foreignShare,
			Why: "The workloads' own sessions take less than half of the slots; strangers with a quarter take the room in which connections turn over.",
		},
		{
			Name: "slow-payments", Says: "Calls of orders to payments take 0.2 s or more.",
			Reads: []string{CallTimeMean}, Threshold: 0.2, Unit: "s", Value: largest(CallTimeMean, "payments"),
			Why: "Payments takes 80 ms; at 0.2 s the same customers need twice the connections that are busy, which is all of them.",
		},
		{
			Name: "more-customers", Says: "Checkouts arrive at 1.4 times the rate of half a minute ago, or more.",
			Reads: []string{EdgeArrivalRatio}, Threshold: 1.4, Unit: "1", Value: largest(EdgeArrivalRatio, "storefront"),
			Why: "Arrivals are constant but for a request more or less a second; pools half busy bear less than twice the rate.",
		},
		{
			Name: "young-replica", Says: "A replica of orders was started within the last 15 s.",
			Reads: []string{ReplicaAge}, Threshold: 15, Below: true, Unit: "s", Value: least(ReplicaAge, "orders"),
			Why: "A start is news for some scrapes and then explains nothing any more.",
		},
	}
}

func symptoms() []Predicate {
	return []Predicate{
		{
			Name: "customers-suffer", Says: "Less than 95 % of the checkouts at the edge are good.",
			Reads: []string{EdgeGoodRatio}, Threshold: 0.95, Below: true, Unit: "1", Value: least(EdgeGoodRatio, "storefront"),
			Why: "The objective of a good second.",
		},
		{
			Name: "callers-give-up", Says: "Callers of orders' pools gave up waiting for a connection.",
			Reads: []string{PoolTimeouts}, Threshold: 1, Unit: "{timeout}", Value: total(PoolTimeouts, "orders"),
			Why: "In the steady state there is none.",
		},
		{
			Name: "long-holds", Says: "Connections of orders that come back have been held for 0.25 s or more.",
			Reads: []string{PoolHoldMean}, Threshold: 0.25, Unit: "s", Value: largest(PoolHoldMean, "orders"),
			Why: "A hold is 0.1 s; at 0.2 s all eight connections are busy, and beyond it the pools are too small.",
		},
		{
			Name: "refused-connects", Says: "The server refused connections of orders, because it is full (53300).",
			Reads: []string{PoolConnectRefusals}, Threshold: 1, Unit: "{refusal}", Value: total(PoolConnectRefusals, "orders"),
			Why: "In the steady state there is none.",
		},
	}
}

func foreignShare(look Look) (float64, bool) {
	foreign, known := look.get(ForeignSessions, "server")
	slots, there := look.get(ServerMaxConnections, "server")
	if !known || !there || slots == 0 {
		return 0, false
	}
	return foreign / slots, true
}
