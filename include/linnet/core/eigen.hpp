// Maps between tensors and Eigen's types. They copy nothing: the map looks at the tensor's elements.
#pragma once

#include <Eigen/Core>
#include <string>
#include <type_traits>

#include "linnet/core/tensor.hpp"

LINNET_NAMESPACE_BEGIN

/// Eigen's name for a row-major matrix of T, the layout of our tensors.
template <class T>
using RowMajorMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
using MatrixMap = std::conditional_t<std::is_const_v<T>, Eigen::Map<const RowMajorMatrix<std::remove_const_t<T>>>,
                                     Eigen::Map<RowMajorMatrix<std::remove_const_t<T>>>>;

/// The tensor as a matrix: a row for each index of the axes but the last, a column for each index of the
/// last. Throws ShapeError for a scalar.
template <class T>
MatrixMap<T> as_matrix(TensorView<T> view) {
  if (view.shape().rank() == 0) throw ShapeError("as_matrix: expected at least 1 axis, got a scalar");
  const Index columns = view.shape().back();
  return MatrixMap<T>(view.data(), columns == 0 ? 0 : view.size() / columns, columns);
}
template <class T>
MatrixMap<T> as_matrix(Tensor<T>& tensor) {
  return as_matrix(tensor.view());
}
template <class T>
MatrixMap<const T> as_matrix(const Tensor<T>& tensor) {
  return as_matrix(tensor.view());
}

/// A tensor {rows, columns} with a copy of an Eigen matrix or expression.
template <class Derived>
Tensor<typename Derived::Scalar> from_matrix(const Eigen::MatrixBase<Derived>& matrix) {
  Tensor<typename Derived::Scalar> tensor(Shape{matrix.rows(), matrix.cols()});
  as_matrix(tensor) = matrix;
  return tensor;
}

LINNET_NAMESPACE_END
