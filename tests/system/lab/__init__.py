# SPDX-License-Identifier: BSD-2-Clause
"""lab: hosts as network namespaces, and the real programs that run on them."""
