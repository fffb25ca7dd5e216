// Package journal makes an experiment visible beside what it breaks: one trace with a span for each step, and log records
// that lead to it. Nothing depends on it: where Jaeger or Loki is missing, slow or dead, the experiment runs the same.
package journal
