package obs

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// ForPrograms refuses what a web page makes the browser of somebody on this machine send: to a listener that asks for no
// secret, the page of a stranger would be as good as they are. Programs name no page that they come from (Origin,
// Sec-Fetch-Site); and what reaches the loopback under a foreign name comes from a page whose name was pointed here (DNS
// rebinding). listen is the host:port that the server was told: its name, if it is one, is not foreign.
func ForPrograms(listen string, next http.Handler) http.Handler {
	name, _, _ := net.SplitHostPort(listen)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := fromPage(r, name); why != "" {
			http.Error(w, why, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fromPage says why a request is taken for a web page's; empty: it is not.
func fromPage(r *http.Request, name string) (reason string) {
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case r.Header.Get("Origin") != "" || site == "cross-site" || site == "same-site":
		return "Web pages are not answered here. Use a program."
	case onLoopback(r) && !ours(r.Host, name):
		return "The host name is not this listener's. Use its IP address or localhost."
	}
	return ""
}

// onLoopback says whether the request came in where only this machine can send to. Elsewhere, a name is a deployment's own.
func onLoopback(r *http.Request) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return !ok || at.IP.IsLoopback()
}

// ours says that a Host header names this machine: by address, which no DNS points elsewhere, or by a name of its own.
func ours(host, name string) bool {
	if alone, _, err := net.SplitHostPort(host); err == nil {
		host = alone
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "" || strings.EqualFold(host, "localhost") || strings.EqualFold(host, name)
}
