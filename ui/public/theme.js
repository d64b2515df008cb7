// Applies the remembered theme before the first paint; a file of its own because the CSP forbids inline script.
(function () {
  try {
    var theme = localStorage.getItem('khor.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; the system's theme stays.
  }
})();
