// Package capacity says how much more fits: at what rate of requests a connection pool is full, how many replicas of it fit
// under the database's max_connections, and how many a given rate needs. It is pure but for Measure, which asks Prometheus,
// and its neighbour capacity/postgres, which asks the server for its slots.
//
// The laws are those of operational analysis (E. D. Lazowska, J. Zahorjan, G. S. Graham, K. C. Sevcik, "Quantitative System
// Performance", 1984, chapter 3), and hold whatever the distributions are:
//
//   - Little's law, L = lambda x W (J. D. C. Little, Operations Research 9:383, 1961): connections in use = uses a second x
//     mean hold;
//   - the service demand law, D = L / X: a request costs so many connection-seconds, over all of its uses of the pool;
//   - the asymptotic bound (chapter 5), X <= c / D: c connections carry that many requests a second, and no more.
package capacity
