// Package simulate holds no program: its tests run the real engine on the real store in virtual time, in a seeded world that
// crashes, delays, duplicates and lies, and check the healer's invariants after every step (docs/simulation.md).
package simulate
