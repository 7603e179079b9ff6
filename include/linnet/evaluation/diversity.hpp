// How diverse a set of samples is, how close to another set, and whether it was copied from it. Needs Eigen's
// eigenvalues, so linnet/linnet.hpp does not include it.
//
// Samples are tensors {n, ...}: every sample counts as the vector of its elements. All figures are computed in double.
#pragma once

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "linnet/core/eigen.hpp"
#include "linnet/core/parallel.hpp"
#include "linnet/core/tensor.hpp"
#include "linnet/evaluation/image_quality.hpp"
#include "linnet/kernels/vector_ops.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {

/// The samples as rows {n, elements}. Throws ShapeError for fewer than `least`, and for samples without elements.
template <class T>
Tensor<double> sample_rows(const char* who, TensorView<const T> samples, Index least) {
  const Shape& shape = samples.shape();
  if (shape.rank() < 1 || samples.size() == 0 || samples.batch() < least) {
    throw ShapeError(std::string(who) + ": expected at least " + std::to_string(least) + " samples {n, ...}, got " +
                     shape.to_string());
  }
  Tensor<double> rows({samples.batch(), samples.sample_size()});
  std::copy(samples.begin(), samples.end(), rows.begin());
  return rows;
}

inline void require_same_elements(const char* who, const Tensor<double>& a, const Tensor<double>& b) {
  if (a.shape()[1] == b.shape()[1]) return;
  throw ShapeError(std::string(who) + ": expected samples of as many elements, got " + std::to_string(a.shape()[1]) +
                   " and " + std::to_string(b.shape()[1]));
}

/// Calls visit(i, distances) for each row i of a, with its Euclidean distances to all rows of b; several at a time.
template <class Visit>
void for_each_distances(const Tensor<double>& a, const Tensor<double>& b, const Visit& visit) {
  const Index elements = a.shape()[1];
  parallel_for(a.batch(), [&](Index i, int) {
    std::vector<double> distances(static_cast<std::size_t>(b.batch())), difference(static_cast<std::size_t>(elements));
    for (Index j = 0; j < b.batch(); ++j) {
      const double* const from = b.data() + j * elements;
      std::copy(from, from + elements, difference.begin());
      axpy(elements, -1.0, a.data() + i * elements, difference.data());
      distances[static_cast<std::size_t>(j)] = std::sqrt(sum_of_squares(elements, difference.data()));
    }
    visit(i, std::span<const double>(distances));
  });
}

/// The eigenvalues of a symmetric matrix, ascending.
inline Eigen::VectorXd eigenvalues_of(const Eigen::MatrixXd& matrix) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix, Eigen::EigenvaluesOnly);
  return solver.eigenvalues();
}

/// exp of the entropy of eigenvalues that add up to 1; those that rounding made negative count as 0.
inline double effective_number(const Eigen::VectorXd& eigenvalues) {
  double entropy = 0;
  for (const double e : eigenvalues) {
    if (e > 0) entropy -= e * std::log(e);
  }
  return std::exp(entropy);
}

}  // namespace detail

/// The mean Euclidean distance of all pairs of samples (the mean of SciPy's pdist). Noise scores high: it is a measure
/// of difference, not of quality. Throws ShapeError for fewer than 2 samples.
template <class T>
double mean_pairwise_distance(TensorView<const T> samples) {
  const Tensor<double> rows = detail::sample_rows("mean_pairwise_distance", samples, 2);
  const Index n = rows.batch();
  std::vector<double> sums(static_cast<std::size_t>(n));
  detail::for_each_distances(rows, rows, [&](Index i, std::span<const double> distances) {
    for (const double d : distances.first(static_cast<std::size_t>(i))) sums[static_cast<std::size_t>(i)] += d;
  });
  double sum = 0;
  for (const double s : sums) sum += s;
  return sum / (static_cast<double>(n) * static_cast<double>(n - 1) / 2);
}
template <class T>
double mean_pairwise_distance(const Tensor<T>& samples) {
  return mean_pairwise_distance(samples.view());
}

/// The mean structural similarity of all pairs of images {n, height, width, channels}: see structural_similarity().
/// Throws ShapeError for fewer than 2 images and for what that refuses.
template <class T>
double mean_pairwise_ssim(TensorView<const T> images) {
  if (images.shape().rank() != 4 || images.batch() < 2) {
    throw ShapeError("mean_pairwise_ssim: expected at least 2 images {n, height, width, channels}, got " +
                     images.shape().to_string());
  }
  const Index n = images.batch();
  double sum = 0;
  for (Index i = 1; i < n; ++i) {  // image i beside all before it
    Tensor<T> repeated(images.samples(0, i).shape());
    for (Index j = 0; j < i; ++j) {
      const auto image = images.samples(i, 1);
      std::copy(image.begin(), image.end(), repeated.samples(j, 1).begin());
    }
    for (const double s : structural_similarity<T>(repeated.view(), images.samples(0, i))) sum += s;
  }
  return sum / (static_cast<double>(n) * static_cast<double>(n - 1) / 2);
}
template <class T>
double mean_pairwise_ssim(const Tensor<T>& images) {
  return mean_pairwise_ssim(images.view());
}

/// The Vendi score of a similarity matrix {n, n}: exp of the entropy of the eigenvalues of kernel / n, the effective
/// number of different samples, from 1 to n (D. Friedman, A. B. Dieng, "The Vendi score: a diversity evaluation metric
/// for machine learning", Transactions on Machine Learning Research, 2023). Throws ShapeError unless the matrix is
/// square, ValueError unless it is symmetric and positive semi-definite with 1 on its diagonal.
inline double vendi_score(const Tensor<double>& kernel) {
  const Shape& shape = kernel.shape();
  if (shape.rank() != 2 || shape[0] != shape[1] || shape[0] < 1) {
    throw ShapeError("vendi_score: expected a similarity matrix {n, n}, got " + shape.to_string());
  }
  constexpr double kTolerance = 1e-6;
  const auto matrix = as_matrix(kernel);
  if (!((matrix - matrix.transpose()).cwiseAbs().maxCoeff() <= kTolerance) ||
      !((matrix.diagonal().array() - 1).abs().maxCoeff() <= kTolerance)) {
    throw ValueError("vendi_score: expected a symmetric matrix with 1 on its diagonal");
  }
  const Eigen::VectorXd eigenvalues = detail::eigenvalues_of(matrix / static_cast<double>(shape[0]));
  if (eigenvalues[0] < -kTolerance) {
    throw ValueError("vendi_score: expected a positive semi-definite matrix, got an eigenvalue of " +
                     std::to_string(eigenvalues[0] * static_cast<double>(shape[0])));
  }
  return detail::effective_number(eigenvalues);
}

/// The Vendi score of samples under the cosine kernel, the product of samples of length 1. Throws ShapeError when there
/// is none, ValueError for a sample of zeros.
template <class T>
double vendi_score_cosine(TensorView<const T> samples) {
  Tensor<double> rows = detail::sample_rows("vendi_score_cosine", samples, 1);
  for (Index i = 0; i < rows.batch(); ++i) {
    const double length = std::sqrt(sum_of_squares(rows.shape()[1], rows.samples(i, 1).data()));
    if (!(length > 0)) {
      throw ValueError("vendi_score_cosine: sample " + std::to_string(i) + " has no direction: all of it is 0");
    }
    for (double& x : rows.samples(i, 1)) x /= length;
  }
  // X X^T and X^T X have the same eigenvalues but for zeros: the smaller one does.
  const auto x = as_matrix(rows);
  const Eigen::MatrixXd product =
      x.rows() <= x.cols() ? Eigen::MatrixXd(x * x.transpose()) : Eigen::MatrixXd(x.transpose() * x);
  return detail::effective_number(detail::eigenvalues_of(product / static_cast<double>(rows.batch())));
}
template <class T>
double vendi_score_cosine(const Tensor<T>& samples) {
  return vendi_score_cosine(samples.view());
}

/// The nearest reference of each sample. Of generated samples and training ones: copies lie nearer than held-out samples
/// do (C. Meehan, K. Chaudhuri, S. Dasgupta, "A non-parametric test to detect data-copying in generative models",
/// AISTATS 2020).
struct NearestSamples {
  std::vector<Index> index;
  std::vector<double> distance;  ///< Euclidean
};
/// Throws ShapeError when there are none, or for samples of other sizes.
template <class T>
NearestSamples nearest_samples(TensorView<const T> samples, TensorView<const T> references) {
  const Tensor<double> a = detail::sample_rows("nearest_samples", samples, 1),
                       b = detail::sample_rows("nearest_samples", references, 1);
  detail::require_same_elements("nearest_samples", a, b);
  NearestSamples nearest{std::vector<Index>(static_cast<std::size_t>(a.batch())),
                         std::vector<double>(static_cast<std::size_t>(a.batch()))};
  detail::for_each_distances(a, b, [&](Index i, std::span<const double> distances) {
    const auto least = std::min_element(distances.begin(), distances.end());
    nearest.index[static_cast<std::size_t>(i)] = static_cast<Index>(least - distances.begin());
    nearest.distance[static_cast<std::size_t>(i)] = *least;
  });
  return nearest;
}
template <class T>
NearestSamples nearest_samples(const Tensor<T>& samples, const Tensor<T>& references) {
  return nearest_samples(samples.view(), references.view());
}

/// How far generated samples lie where real ones do, and how many of the real ones they reach.
struct DensityCoverage {
  double density = 0;   ///< about 1 for the real distribution; above it where real samples are dense
  double coverage = 0;  ///< the share of real samples with a generated one near
};
/// Every real sample has a ball whose radius is the distance to its k-th nearest real neighbour. Density: the mean over
/// generated samples of the balls that hold one, divided by k; coverage: the share of balls that hold any (M. Naeem, S.
/// Oh, Y. Uh, Y. Choi, J. Yoo, "Reliable fidelity and diversity metrics for generative models", ICML 2020). A ball is
/// open: the distance must be less than its radius. Throws ShapeError for fewer than k + 1 real samples or no
/// generated one, ValueError for k < 1.
template <class T>
DensityCoverage density_coverage(TensorView<const T> real, TensorView<const T> generated, Index k = 5) {
  if (k < 1) throw ValueError("density_coverage: expected k >= 1, got " + std::to_string(k));
  const Tensor<double> a = detail::sample_rows("density_coverage", real, k + 1),
                       b = detail::sample_rows("density_coverage", generated, 1);
  detail::require_same_elements("density_coverage", a, b);
  std::vector<double> radius(static_cast<std::size_t>(a.batch()));
  detail::for_each_distances(a, a, [&](Index i, std::span<const double> distances) {
    std::vector<double> others(distances.begin(), distances.end());
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));  // itself
    std::nth_element(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(k - 1), others.end());
    radius[static_cast<std::size_t>(i)] = others[static_cast<std::size_t>(k - 1)];
  });
  std::vector<Index> held(static_cast<std::size_t>(a.batch()));
  detail::for_each_distances(a, b, [&](Index i, std::span<const double> distances) {
    const auto index = static_cast<std::size_t>(i);
    held[index] = std::count_if(distances.begin(), distances.end(), [&](double d) { return d < radius[index]; });
  });
  DensityCoverage result;
  for (const Index count : held) {
    result.density += static_cast<double>(count);
    result.coverage += count > 0 ? 1 : 0;
  }
  result.density /= static_cast<double>(k) * static_cast<double>(b.batch());
  result.coverage /= static_cast<double>(a.batch());
  return result;
}
template <class T>
DensityCoverage density_coverage(const Tensor<T>& real, const Tensor<T>& generated, Index k = 5) {
  return density_coverage(real.view(), generated.view(), k);
}

/// The Frechet distance of two sets of features {n, features} taken for normal distributions: |m1 - m2|^2 + tr(C1 + C2 -
/// 2 (C1 C2)^(1/2)) of their means and covariances (D. Dowson, B. Landau, "The Frechet distance between multivariate
/// normal distributions", Journal of Multivariate Analysis 12, 1982). Of the features of an Inception network it is
/// called FID; of others it has another scale. Throws ShapeError for fewer than 2 samples of a set, or for features of
/// other sizes.
template <class T>
double frechet_distance(TensorView<const T> a, TensorView<const T> b) {
  const Tensor<double> rows_a = detail::sample_rows("frechet_distance", a, 2),
                       rows_b = detail::sample_rows("frechet_distance", b, 2);
  detail::require_same_elements("frechet_distance", rows_a, rows_b);
  const auto covariance = [](const auto& x, const Eigen::RowVectorXd& mean) -> Eigen::MatrixXd {
    const Eigen::MatrixXd centered = x.rowwise() - mean;
    return centered.transpose() * centered / static_cast<double>(x.rows() - 1);
  };
  const auto x = as_matrix(rows_a), y = as_matrix(rows_b);
  const Eigen::RowVectorXd mean_x = x.colwise().mean(), mean_y = y.colwise().mean();
  const Eigen::MatrixXd c_x = covariance(x, mean_x), c_y = covariance(y, mean_y);
  // (C1 C2)^(1/2) has the trace of (C1^(1/2) C2 C1^(1/2))^(1/2), which is symmetric.
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(c_x);
  const Eigen::MatrixXd root = solver.eigenvectors() * solver.eigenvalues().cwiseMax(0.0).cwiseSqrt().asDiagonal() *
                               solver.eigenvectors().transpose();
  const double cross = detail::eigenvalues_of(root * c_y * root).cwiseMax(0.0).cwiseSqrt().sum();
  return (mean_x - mean_y).squaredNorm() + c_x.trace() + c_y.trace() - 2 * cross;
}
template <class T>
double frechet_distance(const Tensor<T>& a, const Tensor<T>& b) {
  return frechet_distance(a.view(), b.view());
}

LINNET_NAMESPACE_END
