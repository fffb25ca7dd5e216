// Package policy says how bold one may be, given what is left of an error budget: an error-budget policy, after the SRE
// Workbook, chapter 2 ("Implementing SLOs") and appendix B. It is a pure function of thresholds that stand in a file.
package policy
