package diagnosis

const head = `# What the healer makes of the recordings

<!-- Written by go test ./e2e/diagnosis -update, from e2e/signature/recorded. Do not edit. -->

The same recordings of real runs that [evidence](evidence.md) is made of, look by look through autoheal's own diagnosis
(` + "`autoheal/diagnose`" + `). A test holds that every look of a fault that counts names its cause, and that no look of a control or
of the healthy system names any. Recordings have no single sessions, no age of the youngest idle one and no workload beside a
replica; ` + "`e2e/diagnosis/adapt.go`" + ` derives these, openly.
`

const tail = `
## How a cause is named

Each cause is a file in ` + "`autoheal/diagnose`" + `: a list of signs, each with what speaks for or against it, with figures. A cause is certain when
**all** its signs are there; a sign whose facts are unknown is not there. Some signs *decide*: without one of them the cause has at most
0.5 of 1, however much it shares with another, so that a neighbour's symptoms never blur a clear case. A cause that has all that
decides, and lacks something else, has 0.9: that is too close to a certain one, and both together are inconclusive. So are two certain ones: two
faults at once are a person's.

*Harmless* is the verdict where callers of a pool give up, the edge is known to be good, and no cause comes near. Both *gone* and *harmless* must
show in two samples before the healer believes them.

Loki and Jaeger add sentences to a cause that is named without them, and nothing else: [decision 28](decisions/0028-what-decides.md).
`
