#pragma once

#include "backend/wgpu/rank_job.hpp"

// Kernels of the walk and of the ordered compaction, which selections and bands share.
namespace spiraltorch::wgpu {

extern const RankShaders kRankClear;
extern const RankShaders kRankHistogram;
extern const RankShaders kRankCollect;
extern const RankShaders kRankChoose;
extern const RankShaders kRankCount;
extern const RankShaders kRankScan;

}  // namespace spiraltorch::wgpu
