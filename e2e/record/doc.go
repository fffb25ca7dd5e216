// Package record is the JSON record of one trial and the arithmetic behind its figures. It is pure: the client's
// seconds and the stages' times go in, MTTD and MTTR come out.
package record
