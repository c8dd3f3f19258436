# Writes the data sets and what R says of them (reference.csv). Run in this folder: Rscript reference.R
suppressMessages({library(survival); library(cmprsk); library(metafor)})
options(digits = 12)

rows <- list()
put <- function(set, endpoint, estimate, value, low = NA, high = NA, p = NA, arm = "", against = "", covariate = "",
                months = "", group = "", n = NA, events = NA, call = "") {
  rows[[length(rows) + 1]] <<- data.frame(set, endpoint, group, estimate, arm, against, covariate, months, n, events,
    value = signif(value, 10), low = signif(low, 10), high = signif(high, 10), p = signif(p, 10), call)
}
save <- function(data, name) write.csv(data, paste0(name, ".csv"), row.names = FALSE, na = "", quote = FALSE)

# Median with its interval, and survival at some days.
curves <- function(set, endpoint, data, arm, scale, days = NULL, group = "") {
  fit <- survfit(Surv(time, status) ~ 1, data, conf.type = c("log-log" = "log-log", log = "log", linear = "plain")[[scale]])
  said <- paste("survfit", fit$conf.type)
  m <- summary(fit)$table
  put(set, endpoint, "median", m[["median"]], m[["0.95LCL"]], m[["0.95UCL"]], arm = arm, group = group, n = m[["records"]],
      events = m[["events"]], call = said)
  if (length(days)) {
    s <- summary(fit, times = days)
    put(set, endpoint, "survival", s$surv, s$lower, s$upper, arm = arm, group = group, months = s$time, n = m[["records"]],
        call = said)
  }
}
follow_up <- function(set, endpoint, data, arm)
  put(set, endpoint, "median_follow_up", summary(survfit(Surv(time, 1 - status) ~ 1, data))$table[["median"]], arm = arm,
      n = nrow(data), call = "survfit 1 - status")
ranks <- function(set, endpoint, data, estimate, formula, group = "") {
  d <- survdiff(formula, data)
  put(set, endpoint, estimate, d$chisq, p = pchisq(d$chisq, length(unique(data$arm)) - 1, lower.tail = FALSE), group = group,
      n = sum(d$n), call = paste("survdiff ~", deparse(formula[[3]])))
}
# One row a coefficient; terms names each of them: arm|against|covariate.
ratios <- function(set, endpoint, data, estimate, formula, terms, group = "") {
  s <- summary(coxph(formula, data, ties = "efron", control = coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 50)))
  for (i in seq_along(terms)) {
    t <- strsplit(paste0(terms[i], "|"), "|", fixed = TRUE)[[1]]
    put(set, endpoint, estimate, s$conf.int[i, 1], s$conf.int[i, 3], s$conf.int[i, 4], s$coefficients[i, "Pr(>|z|)"],
        t[1], t[2], if (length(t) > 2) t[3] else "", group = group, n = s$n, events = s$nevent, call = paste("coxph ~", deparse(formula[[3]])))
  }
}
words <- function(x) factor(as.character(x))  # levels by name

# --- lung: Loprinzi 1994, J Clin Oncol 12:601 -------------------------------------------------------------------------
d <- with(lung, data.frame(time, status = status - 1, arm = sex, age, ph.ecog))
save(d, "lung"); set <- "lung"
for (scale in c("log-log", "log", "linear")) {
  endpoint <- paste0("OS_", sub("-", "", scale))
  curves(set, endpoint, d, "", scale, c(180, 365, 730))
  for (a in 1:2) curves(set, endpoint, d[d$arm == a, ], as.character(a), scale, c(180, 365))
}
for (a in c("", "1", "2")) follow_up(set, "OS_loglog", d[a == "" | d$arm == a, ], a)
e <- "OS_loglog"
ranks(set, e, d, "logrank", Surv(time, status) ~ arm)
ranks(set, e, d, "logrank_stratified", Surv(time, status) ~ arm + strata(ph.ecog))
ratios(set, e, d, "hazard_ratio", Surv(time, status) ~ arm, "2|1")
ratios(set, e, d, "hazard_ratio_stratified", Surv(time, status) ~ arm + strata(ph.ecog), "2|1")
ratios(set, e, d, "hazard_ratio_univariable", Surv(time, status) ~ age, "||age")
ratios(set, e, d, "hazard_ratio_univariable", Surv(time, status) ~ ph.ecog, "||ph.ecog")
ratios(set, e, d, "hazard_ratio_adjusted", Surv(time, status) ~ arm + age + ph.ecog, c("2|1|arm", "||age", "||ph.ecog"))
ratios(set, e, d, "hazard_ratio_adjusted_stratified", Surv(time, status) ~ arm + age + strata(ph.ecog), c("2|1|arm", "||age"))
for (g in 0:2) {
  own <- d[!is.na(d$ph.ecog) & d$ph.ecog == g, ]; group <- paste0("ph.ecog=", g)
  curves(set, e, own, "", "log-log", 180, group)
  ranks(set, e, own, "logrank", Surv(time, status) ~ arm, group)
  ratios(set, e, own, "hazard_ratio", Surv(time, status) ~ arm, "2|1", group)
  ratios(set, e, own, "hazard_ratio_adjusted", Surv(time, status) ~ arm + age, c("2|1|arm", "||age"), group)
}
# The share that died, arm 2 against arm 1, over ph.ecog (0, 1, 2; the one subject with 3 has nobody to be compared with).
share <- function(set, endpoint, died, strata, levels) {
  x <- sapply(levels, function(l) { o <- !is.na(strata) & strata == l
    c(sum(o & d$arm == 2 & died), sum(o & d$arm == 2 & !died), sum(o & d$arm == 1 & died), sum(o & d$arm == 1 & !died)) })
  tables <- array(x[c(1, 3, 2, 4), ], c(2, 2, length(levels)))
  m <- mantelhaen.test(tables, correct = FALSE)
  put(set, endpoint, "odds_ratio_stratified", m$estimate, m$conf.int[1], m$conf.int[2], m$p.value, "2", "1",
      n = sum(x), events = sum(x[c(1, 3), ]), call = "mantelhaen.test correct = FALSE")
  r <- rma.mh(measure = "RD", ai = x[1, ], bi = x[2, ], ci = x[3, ], di = x[4, ])
  put(set, endpoint, "rate_difference_stratified", r$b, r$ci.lb, r$ci.ub, NA, "2", "1", n = sum(x),
      events = sum(x[c(1, 3), ]), call = "metafor::rma.mh RD")
}
share(set, "DIED", d$status == 1, d$ph.ecog, 0:2)

# --- ovarian: Edmunson 1979, Cancer Treat Rep 63:241 ------------------------------------------------------------------
d <- with(ovarian, data.frame(time = futime, status = fustat, arm = rx, age, resid = resid.ds, ecog = ecog.ps))
save(d, "ovarian"); set <- "ovarian"; e <- "OS"
for (a in c("", "1", "2")) { own <- d[a == "" | d$arm == a, ]; curves(set, e, own, a, "log-log", c(365)); follow_up(set, e, own, a) }
ranks(set, e, d, "logrank", Surv(time, status) ~ arm)
ranks(set, e, d, "logrank_stratified", Surv(time, status) ~ arm + strata(resid))
ratios(set, e, d, "hazard_ratio", Surv(time, status) ~ arm, "2|1")
ratios(set, e, d, "hazard_ratio_stratified", Surv(time, status) ~ arm + strata(resid), "2|1")
for (x in c("age", "ecog")) ratios(set, e, d, "hazard_ratio_univariable", reformulate(x, "Surv(time, status)"), paste0("||", x))
ratios(set, e, d, "hazard_ratio_adjusted", Surv(time, status) ~ arm + age + ecog, c("2|1|arm", "||age", "||ecog"))
ratios(set, e, d, "hazard_ratio_adjusted_stratified", Surv(time, status) ~ arm + age + ecog + strata(resid),
       c("2|1|arm", "||age", "||ecog"))

# --- veteran: Kalbfleisch and Prentice 1980 ---------------------------------------------------------------------------
d <- with(veteran, data.frame(time, status, arm = trt, celltype, karno, age))
save(d, "veteran"); set <- "veteran"; d$celltype <- words(d$celltype)
for (a in c("", "1", "2")) curves(set, e, d[a == "" | d$arm == a, ], a, "log-log", c(90, 365))
ranks(set, e, d, "logrank", Surv(time, status) ~ arm)
ranks(set, e, d, "logrank_stratified", Surv(time, status) ~ arm + strata(celltype))
ratios(set, e, d, "hazard_ratio", Surv(time, status) ~ arm, "2|1")
ratios(set, e, d, "hazard_ratio_stratified", Surv(time, status) ~ arm + strata(celltype), "2|1")
cells <- paste0("|adeno|celltype=", levels(d$celltype)[-1])
ratios(set, e, d, "hazard_ratio_univariable", Surv(time, status) ~ celltype, cells)
ratios(set, e, d, "hazard_ratio_univariable", Surv(time, status) ~ karno, "||karno")
ratios(set, e, d, "hazard_ratio_adjusted", Surv(time, status) ~ arm + celltype + karno + age, c("2|1|arm", cells, "||karno", "||age"))
ratios(set, e, d, "hazard_ratio_adjusted_stratified", Surv(time, status) ~ arm + karno + age + strata(celltype),
       c("2|1|arm", "||karno", "||age"))

# --- colon: Moertel 1990, N Engl J Med 322:352; both events -----------------------------------------------------------
a <- colon[colon$etype == 1, ]; b <- colon[colon$etype == 2, ]; b <- b[match(a$id, b$id), ]
d <- data.frame(recurrence = a$time, recurred = a$status, death = b$time, died = b$status, arm = a$rx, node4 = a$node4, extent = a$extent)
save(d, "colon"); set <- "colon"
for (e in c("TTR", "OS")) {
  d$time <- if (e == "TTR") d$recurrence else d$death
  d$status <- if (e == "TTR") d$recurred else d$died
  for (x in c("", levels(d$arm))) curves(set, e, d[x == "" | d$arm == x, ], x, "log", c(365, 1826))
  ranks(set, e, d, "logrank", Surv(time, status) ~ arm)
  ranks(set, e, d, "logrank_stratified", Surv(time, status) ~ arm + strata(extent))
  for (x in c("Lev", "Lev+5FU")) {
    own <- d[d$arm %in% c("Obs", x), ]; own$arm <- factor(own$arm)
    ratios(set, e, own, "hazard_ratio", Surv(time, status) ~ arm, paste0(x, "|Obs"))
    ratios(set, e, own, "hazard_ratio_stratified", Surv(time, status) ~ arm + strata(extent), paste0(x, "|Obs"))
  }
  ratios(set, e, d, "hazard_ratio_univariable", Surv(time, status) ~ node4, "||node4")
  ratios(set, e, d, "hazard_ratio_adjusted", Surv(time, status) ~ arm + node4, c("Lev|Obs|arm", "Lev+5FU|Obs|arm", "||node4"))
  ratios(set, e, d, "hazard_ratio_adjusted_stratified", Surv(time, status) ~ arm + node4 + strata(extent),
         c("Lev|Obs|arm", "Lev+5FU|Obs|arm", "||node4"))
}

# --- competing events -------------------------------------------------------------------------------------------------
competing <- function(set, d, days, strata) {
  e <- "TTE"
  for (x in c("", sort(unique(as.character(d$arm))))) {
    own <- d[x == "" | d$arm == x, ]
    s <- summary(survfit(Surv(time, factor(status, 0:2)) ~ 1, own, conf.type = "log-log"), times = days)
    put(set, e, "cumulative_incidence", s$pstate[, 2], s$lower[, 2], s$upper[, 2], arm = x, months = days, n = nrow(own),
        call = "survfit factor(status) log-log")
  }
  g <- cuminc(d$time, d$status, d$arm)$Tests
  put(set, e, "gray", g[1, 1], p = g[1, 2], n = nrow(d), call = "cuminc $Tests")
  g <- cuminc(d$time, d$status, d$arm, strata = d[[strata]])$Tests
  put(set, e, "gray_stratified", g[1, 1], p = g[1, 2], n = nrow(d), call = "cuminc strata $Tests")
  arms <- sort(unique(as.character(d$arm)))
  crr_of <- function(own, x, estimate, terms) {
    z <- crr(own$time, own$status, x, gtol = 1e-12, maxiter = 50)
    se <- sqrt(diag(z$var))
    for (i in seq_along(terms)) {
      t <- strsplit(paste0(terms[i], "|"), "|", fixed = TRUE)[[1]]
      put(set, e, estimate, exp(z$coef[i]), exp(z$coef[i] - qnorm(.975) * se[i]), exp(z$coef[i] + qnorm(.975) * se[i]),
          2 * pnorm(-abs(z$coef[i] / se[i])), t[1], t[2], if (length(t) > 2) t[3] else "", n = nrow(own), events = sum(own$status == 1),
          call = "crr $var")
    }
  }
  for (x in arms[-1]) {
    own <- d[d$arm %in% c(arms[1], x), ]
    crr_of(own, as.numeric(own$arm == x), "subdistribution_hazard_ratio", paste0(x, "|", arms[1]))
  }
  crr_of(d, cbind(sapply(arms[-1], function(x) as.numeric(d$arm == x)), d$age), "subdistribution_hazard_ratio_adjusted",
         c(paste0(arms[-1], "|", arms[1], "|arm"), "||age"))
}
# mgus2: Kyle 2002, N Engl J Med 346:564; plasma cell malignancy (1), death without it (2); months.
d <- with(mgus2, data.frame(time = ifelse(pstat == 1, ptime, futime), status = ifelse(pstat == 1, 1, 2 * death), arm = sex, age))
save(d, "mgus2")
d$old <- d$age >= 72
competing("mgus2", d, c(60, 120, 240), "old")
# Made up, three arms, many ties of all three kinds on one day.
set.seed(7)
n <- 300; arm <- sample(c("A", "B", "C"), n, TRUE); x <- rexp(n, c(A = .05, B = .09, C = .03)[arm]); y <- rexp(n, .06); z <- runif(n, 1, 30)
d <- data.frame(time = ceiling(pmin(x, y, z)), status = ifelse(pmin(x, y) > z, 0, ifelse(x < y, 1, 2)), arm, age = round(rnorm(n, 60, 9)),
                site = sample(c("x", "y", "z"), n, TRUE))
save(d, "ties")
competing("ties", d, c(5, 10, 20), "site")

write.csv(do.call(rbind, rows), "reference.csv", row.names = FALSE, na = "", quote = FALSE)
cat(R.version.string, sapply(c("survival", "cmprsk", "metafor"), function(p) paste(p, packageVersion(p))), sep = "\n")
