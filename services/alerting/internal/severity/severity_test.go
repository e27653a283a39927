package severity_test

import (
	"testing"

	"github.com/naksha-cloud/naksha/services/alerting/internal/severity"
)

func TestTranslatesOthersWords(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]severity.Severity{
		"sev1": severity.Sev1, "critical": severity.Sev1, " Critical ": severity.Sev1, "sev2": severity.Sev2,
		"error": severity.Sev2, "warning": severity.Sev3, "sev3": severity.Sev3, "info": severity.Sev4,
		"sev4": severity.Sev4, "": severity.Sev2, "sev9": severity.Sev2, "🔥": severity.Sev2, "none": severity.None,
	} {
		if got := severity.Of(word); got != want {
			t.Errorf("%q is %v, want %v", word, got, want)
		}
	}
}

func TestNamesItself(t *testing.T) {
	t.Parallel()
	for _, s := range severity.All() {
		if severity.Of(s.String()) != s {
			t.Errorf("%v does not read back", s)
		}
	}
	if severity.None.String() != "none" || !severity.Sev1.Over(severity.Sev2) || severity.Sev4.Over(severity.Sev4) {
		t.Error("the order of severities is wrong")
	}
}
